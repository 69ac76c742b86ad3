"""Runs a program on a terminal of its own. stdin: JSON {argv, env, steps: [[wait for text, send], ...], seconds}.
Each step waits until the text has appeared after the step before, then sends. stdout: JSON {output, code}."""
import json, os, pty, select, sys, time

job = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.execvpe(job["argv"][0], job["argv"], job["env"])

output, seen, steps = b"", 0, list(job["steps"])
end = time.monotonic() + job["seconds"]
while time.monotonic() < end:
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        output += data
    while steps and (at := output.find(steps[0][0].encode(), seen)) >= 0:
        # What is typed the moment a program asks may still meet the settings it had before.
        time.sleep(0.05)
        seen = at + len(steps[0][0].encode())
        os.write(terminal, steps.pop(0)[1].encode())
else:
    os.kill(pid, 9)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
json.dump({"output": output.decode("utf8", "replace"), "code": code, "left": len(steps)}, sys.stdout)
