# Loads an export with datasets' own loader and asks TRL what it takes it for: read_pairs.py CACHE KIND PLACE
# Prints, on its last line, JSON: per split the rows without meta, whether TRL sees a conversation, and what its
# functions make of the first row.
import json
import sys

import datasets
from trl.data_utils import extract_prompt, is_conversational, maybe_extract_prompt, unpair_preference_dataset

cache, kind, place = sys.argv[1:4]
if kind == "folder":
    loaded = datasets.load_dataset(place, cache_dir=cache)
else:
    loaded = datasets.load_dataset(kind, data_files={"train": place}, cache_dir=cache)

result = {}
for split, rows in loaded.items():
    plain = rows.remove_columns([name for name in rows.column_names if name == "meta"])
    first = plain[0]
    paired = "chosen" in first and "rejected" in first
    result[split] = {
        "columns": rows.column_names,
        "rows": list(plain),
        "conversational": is_conversational(first),
        # With an explicit prompt TRL has nothing to take out of the sides.
        "explicit": maybe_extract_prompt(first) == first if paired and "prompt" in first else None,
        # Axolotl's form has the prompt in both sides: TRL finds it.
        "implicit": extract_prompt(first) if paired and "prompt" not in first else None,
        "unpaired": len(unpair_preference_dataset(plain)) if paired and "prompt" in first else None,
    }
print(json.dumps(result))
