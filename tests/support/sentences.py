"""Prints what is wrong with the sentences of compose/explain, the folder that is given."""

import pathlib
import re
import string
import sys

folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder))
from sentences import LANGUAGES, SENTENCES


def placeholders(sentence):
    return sorted({name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None})


assert LANGUAGES == ("en", "id") and len(SENTENCES) > 100
for key, versions in SENTENCES.items():
    if len(versions) != len(LANGUAGES) or not all(version.strip() for version in versions):
        print(key, "is not there in each language")
    elif placeholders(versions[0]) != placeholders(versions[1]):
        print(key, placeholders(versions[0]), placeholders(versions[1]))

source = "".join(file.read_text() for file in sorted(folder.iterdir()) if file.suffix in (".py", ".j2"))
for key in re.findall(r'\b(?:say|plain)\("(\w+)"[,)]|Finding\("\w+", "(\w+)"', source):
    if "".join(key) not in SENTENCES:
        print("".join(key), "is said but not there")
