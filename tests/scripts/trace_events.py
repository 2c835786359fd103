"""Checks a file against the Trace Event format, as far as a timeline uses it ("Trace Event Format", Google, 2016: JSON
object format; phases X, i and M). It knows nothing of PEs. Times are taken to nanoseconds as Perfetto does."""

import json

NUMBER = (int, float)
ALWAYS = {"ph": str, "pid": int, "tid": int, "name": str}
REQUIRED = {
    "X": {**ALWAYS, "ts": NUMBER, "dur": NUMBER},
    "i": {**ALWAYS, "ts": NUMBER, "s": str},
    "M": {**ALWAYS, "args": dict},
}
METADATA = {"process_name": ("name", str), "thread_name": ("name", str), "process_sort_index": ("sort_index", int)}


def nanoseconds(microseconds):
    return int(microseconds * 1000.0)


def _form_problems(event):
    if event.get("ph") not in REQUIRED:
        return [f"phase {event.get('ph')!r}"]
    problems = [f"{key} is {event.get(key)!r}" for key, kind in REQUIRED[event["ph"]].items()
                if not isinstance(event.get(key), kind) or isinstance(event.get(key), bool)]
    problems += [f"{key} is negative" for key in ("ts", "dur")
                 if isinstance(event.get(key), NUMBER) and event[key] < 0]
    if not isinstance(event.get("args", {}), dict):
        problems.append("args is no object")
    if event["ph"] == "i" and event.get("s") not in ("t", "p", "g"):
        problems.append(f"scope {event.get('s')!r}")
    if event["ph"] == "M" and not problems:
        key, kind = METADATA.get(event["name"], (None, None))
        if key is None or not isinstance(event["args"].get(key), kind):
            problems.append("metadata without its argument")
    return problems


def _track_problems(track, events):
    """Times never go back, and of two slices one holds the other, or they do not meet."""
    last, open_ends = 0, []
    for event in events:
        begin = nanoseconds(event["ts"])
        if begin < last:
            yield f"track {track}: {event['name']} at {begin} ns comes behind {last} ns"
        last = begin
        while open_ends and open_ends[-1][0] <= begin:
            open_ends.pop()
        if event["ph"] != "X":
            continue
        end = begin + nanoseconds(event["dur"])
        if open_ends and end > open_ends[-1][0]:
            yield f"track {track}: {event['name']} ends at {end} ns, behind {open_ends[-1][1]} that holds it"
        open_ends.append((end, event["name"]))


def problems(text):
    """What is wrong with the file; nothing when it is as it should be."""
    content = json.loads(text)
    if not isinstance(content, dict) or not isinstance(content.get("traceEvents"), list):
        return ["no object with traceEvents"]
    found = [f"displayTimeUnit {content['displayTimeUnit']!r}"] if content.get("displayTimeUnit") not in ("ns", "ms") else []
    tracks, named = {}, set()
    for place, event in enumerate(content["traceEvents"]):
        wrong = _form_problems(event)
        found += [f"event {place}: {problem}" for problem in wrong]
        if wrong:
            continue
        track = (event["pid"], event["tid"])
        if event["ph"] == "M":
            named.add((event["name"], track))
        else:
            tracks.setdefault(track, []).append(event)
    for track, events in tracks.items():
        found += [f"track {track} has no {name}" for name in ("process_name", "thread_name") if (name, track) not in named]
        found += _track_problems(track, events)
    return found
