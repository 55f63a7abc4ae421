"""The program ``docker`` of a pretended host. state.json beside it: organizations, keys, users, the gateway, and what is broken.

"broken" is the name of something that fails: rails, create, compose, lago (refuses new keys), revoke (does nothing), login. Some are broken only once.
"""

import base64
import hashlib
import json
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = HERE / "state.json"
state = json.loads(STATE.read_text())
words = sys.argv[1:]
broken = state["broken"]
OWN = "lago-acceptance"


def key_of(id):
    return next((key for key in state["keys"] if key["id"] == id and not key["revoked"]), None)


def said(name, script):
    return base64.b64decode(re.search(rf'^{name} = "([^"]*)"', script, re.MULTILINE)[1]).decode()


def rails(script):
    asked = os.environ.get("ASKED_KEY", "")
    if broken == "rails":
        sys.exit("bin/rails aborted!\nActiveRecord::ConnectionNotEstablished: no database\nat somewhere")
    if "Organization.order" in script:
        print("noise of Rails")
        for organization in state["organizations"]:
            name = base64.b64encode(organization["name"].encode()).decode()
            print(OWN, "organization", organization["id"], name, sep="\t")
            for at, key in enumerate(state["keys"]):
                if key["organization"] == organization["id"] and not key["revoked"]:
                    digest = hashlib.sha256(key["value"].encode()).hexdigest()
                    print(OWN, "key", key["id"], digest, at, sep="\t")
    elif "create!" in script:
        value = f"new-key-{len(state['keys'])}"
        state["keys"].append(
            {"id": asked, "organization": os.environ["ASKED_ORGANIZATION"], "value": value, "revoked": False}
        )
        if broken == "create":
            STATE.write_text(json.dumps(state))
            sys.exit("RuntimeError: cut off after the key was made")
        print(OWN, value, sep="\t")
    elif "UPDATE api_keys" in script:
        for key in state["keys"]:
            key["revoked"] = key["revoked"] and key["id"] != asked
    elif "expires_at: Time.current" in script:
        if key := key_of(asked):
            key["revoked"] = broken != "revoke"
            state["broken"] = ""
            print(OWN, "never", sep="\t")
    elif "User.find_by" in script:
        user = next((user for user in state["users"] if user["email"] == said("EMAIL", script)), None)
        if not user:
            sys.exit("nobody has this address")
        print(OWN, user["id"], user["password"], sep="\t")
        user["password"] = said("PASSWORD", script)
    elif "UPDATE users" in script:
        state["users"][0]["password"] = said("DIGEST", script)
    elif "key.value" in script:
        print(OWN, key_of(asked)["value"], sep="\t")


def curl():
    given = sys.stdin.read()
    if "graphql" in " ".join(words):
        wanted = json.loads(given)["variables"]["input"]
        right = {"email": wanted["email"], "password": wanted["password"]}
        users = [{"email": user["email"], "password": user["password"]} for user in state["users"]]
        token = "a-token" if right in users and broken != "login" else None
        print(json.dumps({"data": {"loginUser": {"token": token}}}, separators=(",", ":")))
        return
    key = re.sub(r"\\(.)", r"\1", re.search(r'Bearer ((?:\\.|[^"\\])*)', given)[1])
    accepted = any(each["value"] == key and not each["revoked"] for each in state["keys"])
    print(200 if accepted and not (broken == "lago" and key.startswith("new")) else 401, end="")


def inspect(what):
    gateway = state["gateway"]
    if ".Config.Env" in what:
        print("\n".join(f"{name}={value}" for name, value in gateway["environment"].items()))
    elif ".State.Status" in what:
        print("running healthy")
    elif not gateway.get("by_hand"):
        labels = {
            "project": "gateway",
            "service": "gateway",
            "working_dir": str(HERE),
            "config_files": "/compose.yml",
        }
        name = re.search(r'com\.docker\.([a-z._]+)"', what)[1].split(".")[-1]
        print(labels.get(name, ""))


def compose():
    if "version" in words:
        return
    if broken == "compose":
        state["broken"] = ""
        STATE.write_text(json.dumps(state))
        sys.exit("no such service")
    for line in Path(state["gateway"]["env_file"]).read_text().splitlines():
        name, equals, value = line.removeprefix("export ").partition("=")
        if equals and not state["gateway"].get("deaf"):
            state["gateway"]["environment"][name] = value.strip("'\"")


with (HERE / "arguments").open("a") as arguments:
    arguments.write(" ".join(words) + "\n")
match words[0]:
    case "ps":
        print("" if state["gateway"].get("down") else "gateway1")
    case "inspect":
        inspect(words[2])
    case "compose":
        compose()
    case "exec" if "curl" in words:
        curl()
    case "exec" if "rails runner" in words[-1]:
        rails(sys.stdin.read())
    case _:
        sys.exit(1)
STATE.write_text(json.dumps(state))
