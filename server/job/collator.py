# Batches out of records of token ids with masks, as TRL's trainers take them. Nothing is tokenised and nothing is cut:
# train.jsonl has the very ids, and 1 for each token of an answer that the loss looks at.
import torch

IGNORED = -100


def padded(rows, value):
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def masked(ids, mask):
    return [token if counts else IGNORED for token, counts in zip(ids, mask)]


class OrpoCollator:
    """For ORPOTrainer. `nll_labels` are the tokens of the likelihood term: those of the chosen answer that count,
    and the prompt where the loss has it in."""

    def __init__(self, padding, with_prompt):
        self.padding = padding
        self.with_prompt = with_prompt

    def __call__(self, records):
        batch = {}
        for side in ("chosen", "rejected"):
            ids = [record["prompt"] + record[side] for record in records]
            labels = [
                [IGNORED] * len(record["prompt"]) + masked(record[side], record[f"{side}_mask"])
                for record in records
            ]
            batch[f"{side}_input_ids"] = padded(ids, self.padding)
            batch[f"{side}_attention_mask"] = padded([[1] * len(row) for row in ids], 0)
            batch[f"{side}_labels"] = padded(labels, IGNORED)
        batch["nll_labels"] = padded(
            [
                (record["prompt"] if self.with_prompt else [IGNORED] * len(record["prompt"]))
                + masked(record["chosen"], record["chosen_mask"])
                for record in records
            ],
            IGNORED,
        )
        return batch


class PreferenceCollator:
    """For DPOTrainer: chosen answers first, then rejected ones; `completion_mask` says which tokens count."""

    def __init__(self, padding):
        self.padding = padding

    def __call__(self, records):
        ids, masks = [], []
        for side in ("chosen", "rejected"):
            for record in records:
                ids.append(record["prompt"] + record[side])
                masks.append([0] * len(record["prompt"]) + record[f"{side}_mask"])
        return {
            "input_ids": padded(ids, self.padding),
            "attention_mask": padded([[1] * len(row) for row in ids], 0),
            "completion_mask": padded(masks, 0),
        }
