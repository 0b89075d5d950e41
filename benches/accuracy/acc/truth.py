"""The truth as the scorer wants it: for each file, what was planted where, and which look-alikes stand in it."""

import collections
import dataclasses
import json
import pathlib


@dataclasses.dataclass(frozen=True)
class Place:
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int


@dataclasses.dataclass
class Plant:
    id: str
    kind: str
    cls: str
    group: str
    encoding: str
    format: str
    context: str
    neutral: bool
    path: str
    places: list
    values: list


@dataclasses.dataclass
class Truth:
    plants: dict  # path -> [Plant]
    decoys: dict  # path -> [(kind, Place)]
    whole: dict  # path -> kind of decoy file

    def all(self):
        return [plant for group in self.plants.values() for plant in group]


def place(record):
    return Place(
        record["byte_start"], record["byte_end"], record["line"], record["column"], record["end_line"], record["end_column"]
    )


def load(path):
    plants, decoys, whole = collections.defaultdict(list), collections.defaultdict(list), {}
    for row in pathlib.Path(path).read_text().splitlines():
        record = json.loads(row)
        where = record["path"]
        if record.get("whole"):
            whole[where] = record["decoy"]
        elif "decoy" in record:
            decoys[where].append((record["decoy"], place(record)))
        else:
            plants[where].append(
                Plant(
                    record["id"],
                    record["kind"],
                    record["class"],
                    record["group"],
                    record["encoding"],
                    record["format"],
                    record["context"],
                    record["neutral"],
                    where,
                    [place(part) for part in record["parts"]],
                    [part["value"] for part in record["parts"]],
                )
            )
    return Truth(plants, decoys, whole)
