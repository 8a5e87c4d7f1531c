#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models for models_test.py, trained and asked by Python's XGBoost (python3-xgboost) on nfstreamd's own CSV.

usage: trainer.py JOBS.json

Each job is a map, and what it gives is printed, a list of all:
  {"train": MODEL, "flows": CSV, "objective": OBJECTIVE, "rounds": N, "features": [COLUMN...]}   the file's attributes
  {"ask": MODEL, "flows": CSV}                                              what it predicts, a list for each flow

What is learned follows from columns that are no features: the transport protocol, or the duration in ms. A column "LIST.N"
is the N-th element of the column LIST. MODEL ends in .json or .ubj. OBJECTIVE may end in "+names", which names the classes
in the file, or in "+early", which stops the training early.
"""
import csv
import json
import sys

import numpy
import xgboost


def value(row, name):
    if name in row:
        text = row[name]
    else:
        column, _, element = name.rpartition(".")
        text = json.loads(row[column])[int(element)]
    return {"True": 1.0, "False": 0.0}.get(text) if text in ("True", "False") else float(text)


def read(path, columns):
    with open(path, newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    return rows, numpy.array([[value(row, name) for name in columns] for row in rows])


def labels(rows, objective):
    if objective.startswith("reg:"):
        return [float(row["bidirectional_duration_ms"]) for row in rows]
    if objective.startswith("binary:"):
        return [int(row["protocol"] == "6") for row in rows]
    return [{"6": 0, "17": 1}.get(row["protocol"], 2) for row in rows]


def train(job):
    objective, _, option = job["objective"].partition("+")
    rows, table = read(job["flows"], job["features"])
    known = numpy.array(labels(rows, objective))
    early = option == "early"  # half of the flows say when it is enough

    def data(some):
        return xgboost.DMatrix(table[some], label=known[some], feature_names=job["features"])
    learned = data(slice(0, None, 2 if early else 1))
    parameters = {"objective": objective, "max_depth": 4, "eta": 0.4, "nthread": 1, "min_child_weight": 0.1, "seed": 7}
    if objective.startswith("multi:"):
        parameters["num_class"] = 3
    stop = {"evals": [(data(slice(1, None, 2)), "other")], "early_stopping_rounds": 2} if early else {}
    booster = xgboost.train(parameters, learned, job["rounds"], verbose_eval=False, **stop)
    if option == "names":
        booster.set_attr(classes=json.dumps(["other", "tcp"] if objective.startswith("binary:")
                                            else ["tcp", "udp", "other"]))
    booster.save_model(job["train"])
    return booster.attributes()


def ask(job):
    booster = xgboost.Booster({"nthread": 1}, model_file=job["ask"])
    best = booster.attr("best_iteration")
    table = read(job["flows"], booster.feature_names)[1]
    answers = booster.predict(xgboost.DMatrix(table, feature_names=booster.feature_names),
                              iteration_range=(0, int(best) + 1 if best else 0), strict_shape=True)
    return answers.astype(float).tolist()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as jobs:
        print(json.dumps([train(job) if "train" in job else ask(job) for job in json.load(jobs)]))
