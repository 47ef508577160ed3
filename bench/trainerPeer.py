# TRL on the same token ids as the trainer: one run, its steps timed. Reads a JSON file (model folder and file,
# precision, loss, threads, rank, rows of prompt, chosen and rejected ids) and prints one line of JSON.
import json
import os
import resource
import sys
import time

job = json.load(open(sys.argv[1]))
os.environ["OMP_NUM_THREADS"] = str(job["threads"])
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback  # noqa: E402

torch.set_num_threads(job["threads"])


class Clock(TrainerCallback):
    """Wall and processor seconds of every step."""

    def __init__(self):
        self.wall, self.cpu = [], []

    def on_step_begin(self, *_, **__):
        self.started = (time.perf_counter(), time.process_time())

    def on_step_end(self, *_, **__):
        self.wall.append(time.perf_counter() - self.started[0])
        self.cpu.append(time.process_time() - self.started[1])


def orpo_row(row):
    """A row as ORPOTrainer's collator takes it: prompt and completion in one, prompt not in the labels."""
    result = {"prompt_input_ids": row["prompt"], "prompt_attention_mask": [1] * len(row["prompt"])}
    for side in ("chosen", "rejected"):
        ids = row["prompt"] + row[side]
        result[f"{side}_input_ids"] = ids
        result[f"{side}_attention_mask"] = [1] * len(ids)
        result[f"{side}_labels"] = [-100] * len(row["prompt"]) + row[side]
    return result


def dpo_row(row):
    return {f"{part}_ids": row[part] for part in ("prompt", "chosen", "rejected")}


def main():
    tokenizer = AutoTokenizer.from_pretrained(job["folder"], gguf_file=job["file"])
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    # "bfloat16" keeps the weights in it; "autocast" keeps them in float32 and multiplies in bfloat16.
    kept = torch.bfloat16 if job["precision"] == "bfloat16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(job["folder"], gguf_file=job["file"], dtype=kept)
    # transformers has unpacked the file into plain numbers, and refuses to train on what it still calls quantised.
    model.is_quantized = False
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    lora = LoraConfig(
        r=job["rank"],
        lora_alpha=job["rank"],
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        task_type="CAUSAL_LM",
    )
    common = dict(
        output_dir=job["out"],
        per_device_train_batch_size=1,
        max_steps=len(job["rows"]),
        learning_rate=2e-4,
        lr_scheduler_type="constant",
        max_length=4096,
        beta=0.1,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        gradient_checkpointing=job["checkpointing"],
        bf16=job["precision"] == "autocast",
        fp16=False,
        seed=1,
    )
    # The trainers tokenise text when they are made; the ids replace that data set afterwards.
    stand_in = Dataset.from_list([{"prompt": "a", "chosen": "b", "rejected": "c"}])
    if job["loss"] == "orpo":
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer

        settings, kind, rows = ORPOConfig(**common), ORPOTrainer, [orpo_row(row) for row in job["rows"]]
    else:
        from trl import DPOConfig, DPOTrainer

        settings = DPOConfig(**common, loss_type=["exo_pair"], label_smoothing=0.005)
        kind, rows = DPOTrainer, [dpo_row(row) for row in job["rows"]]
    clock = Clock()
    trainer = kind(
        model=model,
        args=settings,
        train_dataset=stand_in,
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[clock],
    )
    trainer.train_dataset = Dataset.from_list(rows)
    trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"wallSeconds": clock.wall, "processorSeconds": clock.cpu, "peakBytes": peak}))


main()
