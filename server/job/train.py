# Trains the adapter that job.json asks for, with TRL. README.md says how to run it.
import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from torch.nn.functional import cross_entropy, log_softmax
from transformers import AutoModelForCausalLM, AutoTokenizer

from collator import IGNORED, OrpoCollator, PreferenceCollator

HERE = Path(__file__).resolve().parent

# How far means and losses may lie from those of the machine that made the job, in nats: its own weights are in
# float32 or bfloat16, and so are these.
TOLERANCE = {torch.float32: 0.02, torch.bfloat16: 0.05}

ORPO = ("orpo", "orpo_completion_nll")
DPO = {"dpo": "sigmoid", "exo_pair": "exo_pair", "ipo": "ipo"}


def arguments():
    parser = argparse.ArgumentParser(description="Trains the adapter that job.json asks for.")
    parser.add_argument("--check", action="store_true", help="compare the first pairs with job.json; train nothing")
    parser.add_argument("--gguf", type=Path, help="the base model's GGUF file, where it lies here already")
    parser.add_argument("--base", help="other weights of the base model: a folder, or a repository's name")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], help="default: bfloat16 on a GPU, else float32")
    parser.add_argument("--steps", type=int, help="instead of job.json's number")
    parser.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--no-checkpointing", action="store_true", help="faster, with more memory")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in run/")
    return parser.parse_args()


def records(name):
    with open(HERE / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def place_of_base(job, args):
    """What transformers loads, and with which options."""
    if args.base is not None:
        return args.base, {}
    if args.gguf is not None:
        with open(args.gguf, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest() if sys.version_info >= (3, 11) else None
        if found not in (None, job["model"]["sha256"]):
            sys.exit(f"{args.gguf} is another file than the job was made for: its sha256 is {found}.")
        return str(args.gguf.resolve().parent), {"gguf_file": args.gguf.name}
    base = job["base"]
    if base is None:
        sys.exit(f"Say where the base model is: --gguf FILE with {job['model']['file']}, or --base NAME.")
    return base["repository"], {"revision": base["revision"], "gguf_file": base["file"]}


def load(job, args, dtype):
    place, options = place_of_base(job, args)
    tokenizer = AutoTokenizer.from_pretrained(place, **options)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(place, dtype=dtype, **options)
    if "gguf_file" in options:
        # transformers has unpacked the file, and refuses to train on what it still calls quantised.
        model.is_quantized = False
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
    if job["start"] is not None:
        model = PeftModel.from_pretrained(model, HERE / job["start"], is_trainable=True)
    return model, tokenizer


def adapter_of(job):
    """None where the run goes on from an adapter."""
    if job["start"] is not None:
        return None
    parameters = job["parameters"]
    return LoraConfig(
        r=parameters["rank"],
        lora_alpha=parameters["alpha"],
        lora_dropout=parameters["dropout"],
        target_modules=job["targets"],
        task_type="CAUSAL_LM",
    )


def settings_of(job, args, kind, dtype, **own):
    parameters = job["parameters"]
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    on_gpu = torch.cuda.is_available()
    schedule = parameters["schedule"]
    if schedule == "constant" and parameters["warmup"] > 0:
        schedule = "constant_with_warmup"
    looks = {"eval_strategy": "steps", "eval_steps": 10} if job["heldout"] is not None else {}
    return kind(
        output_dir=str(HERE / "run"),
        per_device_train_batch_size=parameters["batch"],
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=max(1, round(parameters["accumulation"] / processes)),
        max_steps=args.steps or parameters["steps"],
        learning_rate=parameters["learningRate"],
        lr_scheduler_type=schedule,
        warmup_steps=parameters["warmup"],
        max_grad_norm=parameters["clip"],
        weight_decay=parameters["weightDecay"],
        beta=parameters["beta"],
        # TRL would switch the adapter's dropout off too.
        disable_dropout=parameters["dropout"] == 0,
        # Records are cut already.
        max_length=None if kind.__name__ == "DPOConfig" else parameters["maxLength"] * 2,
        remove_unused_columns=False,
        gradient_checkpointing=not args.no_checkpointing,
        bf16=on_gpu and dtype == torch.bfloat16,
        fp16=False,
        use_cpu=not on_gpu,
        logging_steps=1,
        save_steps=args.save_every,
        save_total_limit=2,
        seed=parameters["seed"],
        report_to=[],
        **looks,
        **own,
    )


def orpo_trainer():
    from trl.experimental.orpo import ORPOTrainer

    class MaskedOrpoTrainer(ORPOTrainer):
        """TRL has every token of prompt and answer in the likelihood term; here the batch says which count."""

        def concatenated_forward(self, model, batch):
            parts = super().concatenated_forward(model, batch)
            labels = batch["nll_labels"][:, 1:]
            logits = parts[2][:, : labels.shape[1]]
            likelihood = cross_entropy(
                logits.reshape(-1, logits.shape[-1]).float(),
                labels.reshape(-1).to(logits.device),
                ignore_index=IGNORED,
            )
            return (*parts[:4], likelihood, *parts[5:])

    return MaskedOrpoTrainer


def trainer_of(job, args, model, tokenizer, dtype):
    loss = job["parameters"]["loss"]
    # TRL tokenises what it is made with: it gets a line of its own, and the ids afterwards.
    stand_in = Dataset.from_list([{"prompt": "a", "chosen": "b", "rejected": "c"}])
    if loss in ORPO:
        from trl.experimental.orpo import ORPOConfig

        kind, settings = orpo_trainer(), settings_of(job, args, ORPOConfig, dtype)
        collator = OrpoCollator(tokenizer.pad_token_id, with_prompt=loss == "orpo")
    else:
        from trl import DPOConfig, DPOTrainer

        smoothing = job["parameters"]["epsilon"] if loss == "exo_pair" else 0
        own = {"loss_type": [DPO[loss]], "label_smoothing": smoothing}
        kind, settings = DPOTrainer, settings_of(job, args, DPOConfig, dtype, **own)
        collator = PreferenceCollator(tokenizer.pad_token_id)
    trainer = kind(
        model=model,
        args=settings,
        data_collator=collator,
        train_dataset=stand_in,
        eval_dataset=stand_in if job["heldout"] is not None else None,
        processing_class=tokenizer,
        peft_config=adapter_of(job),
    )
    trainer.train_dataset = Dataset.from_list(records("train.jsonl"))
    if job["heldout"] is not None:
        trainer.eval_dataset = Dataset.from_list(records("heldout.jsonl"))
    if loss in DPO:
        freeze_reference(job, trainer.model)
    return trainer


def freeze_reference(job, model):
    """TRL compares with the adapter that training goes on from, else with the base model: the job may want another."""
    if job["reference"] == job["start"]:
        return
    if "ref" in model.peft_config:
        model.delete_adapter("ref")
    if job["reference"] is not None:
        model.load_adapter(HERE / job["reference"], "ref", is_trainable=False)
    model.set_adapter("default")


def mean_of(model, record, side):
    """Mean log-probability of the tokens of a side that count."""
    ids = torch.tensor([record["prompt"] + record[side]], device=model.device)
    logits = model(ids).logits[0, len(record["prompt"]) - 1 : -1].float()
    values = log_softmax(logits, -1).gather(1, ids[0, len(record["prompt"]) :, None])[:, 0]
    counts = torch.tensor(record[f"{side}_mask"], device=model.device)
    return ((values * counts).sum() / counts.sum()).item()


def check(job, args, trainer, dtype):
    """Compares with what the machine that made the job got. The last line is JSON."""
    if not job["expected"]:
        sys.exit("job.json says nothing to compare with.")
    model = trainer.model.to(trainer.args.device).eval()
    differences, found = [], []
    with torch.no_grad():
        for expected in job["expected"]:
            record = trainer.train_dataset[expected["record"]]
            batch = trainer._prepare_inputs(trainer.data_collator([record]))
            here = {side: mean_of(model, record, side) for side in ("chosen", "rejected")}
            here["loss"] = trainer.compute_loss(model, batch).item()
            found.append({"record": expected["record"], **here})
            differences.append(max(abs(here[key] - expected[key]) for key in ("chosen", "rejected", "loss")))
            print(f"pair {expected['record']}: loss {here['loss']:.4f} here, {expected['loss']:.4f} there")
    agrees = max(differences) <= TOLERANCE[dtype]
    print(json.dumps({"agrees": agrees, "largest": max(differences), "tolerance": TOLERANCE[dtype], "found": found}))
    if agrees:
        return
    if args.base is not None:
        print("Other weights of the base model give other numbers: small differences are to be expected.")
        return
    sys.exit("This is not what the machine that made the job got: look at the base model.")


def main():
    args = arguments()
    job = json.loads((HERE / "job.json").read_text(encoding="utf-8"))
    dtype = getattr(torch, args.dtype) if args.dtype else torch.bfloat16 if torch.cuda.is_available() else torch.float32
    model, tokenizer = load(job, args, dtype)
    trainer = trainer_of(job, args, model, tokenizer, dtype)
    if args.check:
        check(job, args, trainer, dtype)
        return
    trainer.train(resume_from_checkpoint=args.resume)
    trainer.save_model(str(HERE / "adapter"))
    if trainer.accelerator.is_main_process:
        print(f"The adapter is in {HERE / 'adapter'}.")


if __name__ == "__main__":
    main()
