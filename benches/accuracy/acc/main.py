"""The command line: make the tree, check it, run the scanners, print, judge."""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

from . import peers, plan, report, scanners, score, truth

HERE = pathlib.Path(__file__).resolve().parent.parent


def build_folder():
    if os.environ.get("CARGO_TARGET_DIR"):
        return pathlib.Path(os.environ["CARGO_TARGET_DIR"]) / "accuracy"
    root = HERE.parent.parent
    if (root / "Cargo.toml").is_file():
        return root / "target" / "accuracy"
    return pathlib.Path(tempfile.gettempdir()) / f"accuracy-{os.getuid()}"


def scratch_folder():
    """Outside any repository: scanners honour the .gitignore above a tree, and the build folder is usually in one."""
    return pathlib.Path(tempfile.gettempdir()) / f"accuracy-{os.getuid()}" / "out"


def find_staunch(given):
    if given:
        return given
    for path in (
        HERE.parent.parent / "target" / "release" / "staunch",
        pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "/nowhere")) / "release" / "staunch",
    ):
        if path.is_file():
            return str(path)
    return shutil.which("staunch")


def requirement(text):
    """`unprefixed+generic=90/85` -> (classes, recall, precision)."""
    names, _, bars = text.partition("=")
    classes = tuple(names.split("+"))
    if not bars or any(c not in score.CLASSES for c in classes):
        raise argparse.ArgumentTypeError("write CLASS[+CLASS]=RECALL[/PRECISION], of " + ", ".join(score.CLASSES))
    recall, _, precision = bars.partition("/")
    return classes, float(recall), float(precision or recall)


def arguments():
    parser = argparse.ArgumentParser(
        prog="benches/accuracy/run",
        description="Plants made-up credentials and look-alikes, scans them, and says what was found and what was falsely reported.",
    )
    parser.add_argument("--seed", default="1", help="another seed is another set (default: 1)")
    parser.add_argument("--size", type=int, default=6, help="plants of each kind (default: 6)")
    parser.add_argument("--decoys", type=int, help="rounds of decoy files (default: as many as --size)")
    parser.add_argument("--staunch", metavar="PATH", help="the program (default: the release build, else the one in PATH)")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="scratch: the tree, the truth and the results (default: in the temporary folder; not below a .gitignore that hides it)",
    )
    parser.add_argument("--peers", action="store_true", help="run the installed peers too")
    parser.add_argument("--install-peers", action="store_true", help="install the peers into the build folder by pip, and stop")
    parser.add_argument(
        "--require",
        metavar="CLASS=R/P",
        type=requirement,
        action="append",
        default=[],
        help="fail when staunch is below: prefixed=99.5/99.5, unprefixed+generic=90/85",
    )
    parser.add_argument("--generate-only", action="store_true", help="write and check the tree, run nothing")
    parser.add_argument("--keep-tree", action="store_true", help="score the tree that is there")
    parser.add_argument("--verbose", action="store_true", help="every kind and format, and every scanner's misses")
    return parser.parse_args()


def generate(out, options):
    shutil.rmtree(out / "tree", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    records = plan.write_tree(out, options.seed, options.size, options.decoys or options.size)
    wrong = plan.check(out, records)
    for complaint in wrong[:20]:
        print("generator:", *complaint, file=sys.stderr)
    if wrong:
        sys.exit(f"generator: {len(wrong)} places are not as the truth says")
    return records


def main():
    options = arguments()
    build = build_folder()
    if options.install_peers:
        return peers.install(build)
    os.nice(5)
    out = pathlib.Path(options.out).resolve() if options.out else scratch_folder()
    if not options.keep_tree:
        generate(out, options)
    known = truth.load(out / "truth.jsonl")
    planted = known.all()
    files = sum(len(names) for _, _, names in os.walk(out / "tree"))
    print(
        f"{len(planted)} plants of {len({p.kind for p in planted})} kinds, {sum(map(len, known.decoys.values()))} marked look-alikes "
        f"and {len(known.whole)} decoy files, {files} files (seed {options.seed})\n"
    )
    if options.generate_only:
        return print(out / "tree")
    program = find_staunch(options.staunch)
    runs = [scanners.staunch(str(pathlib.Path(program).resolve()), out / "tree", out)] if program else []
    for name, run in scanners.PEERS.items() if options.peers else ():
        if peers.program(build, name):
            runs.append(run(peers.program(build, name), out / "tree", out))
        else:
            print(f"{name} is not installed (--install-peers)", file=sys.stderr)
    if not runs:
        sys.exit("no scanner: give --staunch PATH")
    scores = [score.score(run, known) for run in runs]
    print(report.text(scores, options.verbose))
    about = {"seed": options.seed, "size": options.size, "plants": len(planted), "files": files}
    (out / "result.json").write_text(json.dumps(report.as_json(scores, about), indent=1))
    print(f"everything: {out / 'result.json'}")
    if options.require and not program:
        sys.exit("--require judges staunch, and there is none: give --staunch PATH")
    failed = judge(scores[0], options.require)
    if failed or scores[0].run.trouble:
        sys.exit(1)


def judge(ours, requirements):
    failed = False
    for classes, recall, precision in requirements:
        _, _, r, _, p = score.figures(ours, classes)
        good = r >= recall and p >= precision
        failed |= not good
        print(
            f"{'met' if good else 'NOT MET'}: {'+'.join(classes)} recall {r:.2f} (want {recall}), precision {p:.2f} (want {precision})"
        )
    return failed
