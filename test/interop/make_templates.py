"""Published chat templates and what jinja2 makes of them: test/fixtures/templates.

    python3 test/interop/make_templates.py collect   # downloads the packages below, writes templates.json.gz
    python3 test/interop/make_templates.py render    # writes results.json
    python3 test/interop/make_templates.py check     # renders again and compares with results.json

`collect` needs the network, the others only jinja2 3.1.6. Templates are data of models; the packages that bring them are
under the MIT licence (llama-cpp-python) and Apache 2.0 (trl, axolotl).
"""
import copy
import gzip
import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from jinja_oracle import NOW, environment

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "templates"
PACKAGES = [
    ("llama-cpp-python", "0.3.36", r"/models/templates/([^/]+)\.jinja$"),
    ("trl", "1.16.0", r"^trl/chat_templates/([^/]+)\.jinja$"),
    ("axolotl", "0.19.0", r"^axolotl/utils/chat_templates/templates/([^/]+)\.jinja$"),
]
TAG = "CONTINUE_FINAL_MESSAGE_TAG "


def members(path):
    if path.suffix == ".gz":
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name, lambda: archive.extractfile(member).read()
    else:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, lambda: archive.read(name)


def collect():
    templates = []
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        for package, version, pattern in PACKAGES:
            source = ["--no-binary", ":all:"] if package == "llama-cpp-python" else []
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *source, "-d", folder]
            subprocess.run([*command, f"{package}=={version}"], check=True)
            stem = package.replace("-", "_")
            (path,) = [p for p in pathlib.Path(folder).iterdir() if p.name.startswith(f"{stem}-{version}")]
            for name, read in members(path):
                found = re.search(pattern, name)
                if not found:
                    continue
                text = read().decode()
                digest = hashlib.sha256(text.encode()).hexdigest()
                if digest in seen:
                    continue
                seen.add(digest)
                templates.append({"name": f"{package}/{found[1]}", "version": version, "sha256": digest, "text": text})
    templates.sort(key=lambda t: t["name"])
    data = json.dumps(templates, ensure_ascii=False, indent=0).encode()
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=9) as out:
        out.write(data)
    (FOLDER / "templates.json.gz").write_bytes(buffer.getvalue())
    print(len(templates), "templates")


def render(compiled, source, case):
    """As transformers' render_jinja_template, without its clean-up of messages."""
    messages = copy.deepcopy(case["messages"])
    going_on = case.get("continueFinalMessage", False)
    if going_on:
        final = messages[-1]["content"]
        if "content" not in source:
            raise ValueError("content is not used")
        messages[-1]["content"] = final + TAG
    text = compiled.render(
        **{
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            **case.get("variables", {}),
            "messages": messages,
            "tools": case.get("tools"),
            "documents": None,
            "add_generation_prompt": case.get("addGenerationPrompt", False),
        }
    )
    if not going_on:
        return text
    if final.strip() not in text or TAG.strip() not in text:
        raise ValueError("the final message does not appear")
    place = text.rindex(TAG.strip())
    return text[:place] if text[place : place + len(TAG)] == TAG else text[:place].rstrip()


def results():
    cases = json.loads((FOLDER / "conversations.json").read_text())
    templates = json.loads(gzip.decompress((FOLDER / "templates.json.gz").read_bytes()))
    env = environment(NOW)
    found = {}
    for template in templates:
        row = []
        compiled = env.from_string(template["text"])
        for case in cases:
            try:
                text = render(compiled, template["text"], case)
                data = text.encode("utf-8", "surrogatepass")
                row.append(f"{len(text)}:{hashlib.sha256(data).hexdigest()[:16]}")
            except Exception:  # every class counts as "raises"
                row.append("raises")
        found[template["name"]] = row
    return found


if __name__ == "__main__":
    action = sys.argv[1] if len(sys.argv) > 1 else ""
    if action == "collect":
        collect()
    elif action == "render":
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in results().items())
        (FOLDER / "results.json").write_text(f"{{\n{lines}\n}}\n")
    elif action == "check":
        expected = json.loads((FOLDER / "results.json").read_text())
        differing = [name for name, row in results().items() if expected.get(name) != row]
        print(f"{len(expected) - len(differing)} equal, {len(differing)} differ {' '.join(differing)}")
        sys.exit(1 if differing else 0)
    else:
        sys.exit(__doc__)
