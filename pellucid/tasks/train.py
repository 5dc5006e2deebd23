"""`pellucid.train`: a table in, a trained network out, with its honest quality beside plain methods."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.declared import TRAIN
from pellucid.core.note import Note
from pellucid.data.read import as_table
from pellucid.errors import SettingsError
from pellucid.nn.activations import range_warning
from pellucid.tasks.explaining import reasons_of
from pellucid.tasks.find_rate import find_rate
from pellucid.tasks.fitting import refuse_what_does_not_fit
from pellucid.tasks.folder import RunFolder, fingerprint
from pellucid.tasks.job import Order
from pellucid.tasks.jobs import find_job
from pellucid.tasks.judge import FEW_ROWS, cross_judge, judge_model
from pellucid.tasks.keeping import with_examples
from pellucid.tasks.learn import learn
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.overall import overall
from pellucid.tasks.places import places_note
from pellucid.tasks.prepare import Prepared, guess_target, make_lesson, prepare
from pellucid.tasks.run import Run, Stages
from pellucid.tasks.summary import Story, summarise
from pellucid.tasks.transfer import open_start
from pellucid.training.callbacks import Callback
from pellucid.training.engine import Watch
from pellucid.training.progress import Progress, Silent

AUGMENTATIONS = {
    "image": {
        "none": "While learning, pictures are shown as they are.",
        "characters": "While learning, pictures are shown a little turned, moved, zoomed and brightened at random, but "
                      "not mirrored.",
        "photographs": "While learning, pictures are shown mirrored, a little turned, moved, zoomed and brightened at "
                       "random; where a mirrored picture means something else, set the augmentation to characters.",
    },
    "audio": {
        "none": "While learning, recordings are heard as they are.",
        "voices": "While learning, recordings are heard a little higher or lower, faster or slower and with noise at "
                  "random; where the pitch itself is the answer, set the augmentation to sounds.",
        "sounds": "While learning, recordings are heard a little faster or slower and with noise at random, but at "
                  "their own pitch, because a pitch that is a tenth higher already means something else.",
    },
}


@dataclass(frozen=True)
class Onlooker:
    """What looks on while a table is trained; none of it changes what is learned.

    Args:
        progress: draws on the terminal.
        callbacks: called after each epoch.
    """

    progress: Progress
    callbacks: tuple[Callback, ...] = ()


def train(data: Any, target: str | None = None, *, run: str | Path | None = None, resume: bool = False,
          progress: Progress | None = None, callbacks: Sequence[Callback] = (), **settings: Any) -> Run:
    """Train a network on a table, judge it on rows kept apart, and write a run folder.

    Args:
        data: a file (CSV, TSV, Parquet, JSON Lines, Excel), a data frame, an array, or rows as mappings.
        target: the column to predict; a telling name or the last column when `None`.
        run: the folder to write; `runs/<data>-<n>` when `None`. A folder that holds a run is never overwritten.
        resume: go on with the run in `run` (or the latest of this data) after it was stopped, with its settings.
        progress: such as `pellucid.training.progress.Terminal()`; silent when `None`.
        callbacks: called with each epoch's record; training ends after the one that returns `False`.
        settings: see docs/settings.md; all have defaults that suit most tables.

    Returns:
        The run: `.model`, `.metrics`, `.history`, `.report(path)`.

    Raises:
        DataError: the data cannot be read, or nothing can be learned from it.
        SettingsError: a setting is unknown or out of range.

    Example:
        >>> run = pellucid.train("bank.csv", target="creditability")  # doctest: +SKIP
        >>> run.model.predict("new clients.csv").to_frame()  # doctest: +SKIP
    """
    if isinstance(settings.get("start"), Path):
        settings["start"] = str(settings["start"])
    chosen, stages = TRAIN.check(settings), Stages()
    open_start(chosen["start"])  # what is wrong with it is told before anything is read
    with stages.timed("reading"):
        table = as_table(data)
        source = str(data) if isinstance(data, (str, Path)) and str(data) != "-" else table.source
        if resume:
            target, settings = RunFolder.open(run, source, resume).continued(target, settings)
            chosen = TRAIN.check(settings)
        onlooker = Onlooker(progress or Silent(), tuple(callbacks))
        job, reason = find_job(table, target, chosen["task"])
        name, why = (target, "") if target is not None or job and not job.needs_target else guess_target(table)
        notes = [Note("target_guessed", f"`{name}` is taken as the target, because {why}.", name)] if why else []
        if job is not None:
            refuse_what_does_not_fit(chosen, job.task)
            chosen = {**chosen, "task": job.task}
            notes.append(Note("task_found", f"The task is to {job.task}, because {reason}.")
                         if TRAIN.check(settings)["task"] is None else Note("task", f"The task is to {job.task}."))
        else:
            prepared = prepare(table, name, chosen)
            refuse_what_does_not_fit(chosen, prepared.task)
            table = prepared.table
    folder = RunFolder.open(run, source, resume)
    if resume and not folder.begun:
        notes.append(Note("nothing_to_resume", f"There was no run to resume in `{folder.path}`; it was started anew.",
                          severity="warning"))
    folder.begin(name, settings, fingerprint(table, name, chosen))
    if job is None:
        return _finish(replace(prepared, notes=(*notes, *prepared.notes)), chosen, folder, stages, onlooker, resume)
    watch = Watch(onlooker.progress, onlooker.callbacks, folder.checkpoint(), resume)
    finished = job.run(Order(table, name, chosen, folder.command(name), watch, stages,
                             lambda model: model.save(folder.model), tuple(notes)))
    return _kept(Run(folder.path, finished.model, finished.result, finished.metrics, finished.history,
                     finished.ending), folder, finished.settings)


def _kept(finished: Run, folder: RunFolder, settings: Mapping[str, Any]) -> Run:
    folder.write(finished, settings)
    return finished


def _finish(prepared: Prepared, chosen: dict[str, Any], folder: RunFolder, stages: Stages, onlooker: Onlooker,
            resume: bool) -> Run:
    """Train, save, judge, save again with the judgement, and tell."""
    rows = np.arange(len(prepared.table))
    crossed = len(rows) < FEW_ROWS and chosen["test_size"] > 0 and prepared.times is None
    if chosen["test_size"] > 0 and not crossed:
        split = prepared.split(chosen["test_size"], chosen["seed"])
        train_rows, test_rows = split.train, split.test
        prepared = replace(prepared, notes=(*prepared.notes, *split.notes))
    else:
        train_rows, test_rows = rows, rows[:0]
    with stages.timed("training"):
        lesson, settings = make_lesson(prepared, train_rows, chosen)
        if settings["learning_rate"] == "find":
            settings["learning_rate"] = find_rate(lesson, settings)
        prepared = replace(prepared, notes=(*prepared.notes, *_notes(lesson, settings)))
        learned = learn(lesson, settings, Watch(onlooker.progress, onlooker.callbacks, folder.checkpoint(), resume))
        prepared = replace(prepared, notes=(*prepared.notes, *places_note(learned.model.members, lesson.features),
                                            *_rival_note(learned.model.settings)))
    if chosen["keep_examples"]:
        learned = with_examples(learned, prepared.table, train_rows, lesson)
    learned.model.save(folder.model)
    story = Story(prepared, lesson, learned, dict(learned.model.settings), crossed,
                  folder.command(prepared.target.name), stages)
    try:
        story = _judged(story, train_rows, test_rows)
    except KeyboardInterrupt:  # the model is saved; what is known of it is told
        story = replace(story, learned=replace(learned, outcome=replace(learned.outcome, ending="interrupted")))
    return _written(story, folder)


def _rival_note(settings: Mapping[str, Any]) -> tuple[Note, ...]:
    """What a user should know where a second training with another embedding of numbers was better."""
    if not settings.get("rival") or settings["numeric_embedding"] != settings["rival"]:
        return ()
    return (Note("rival", "Two ways to take in numbers were tried. Left-out rows are answered better with waves (a "
                 "periodic embedding) than with bins, so waves are used."),)


def _judged(story: Story, train_rows: np.ndarray, test_rows: np.ndarray) -> Story:
    """The story with the evidence of rows that nothing was chosen by; without plain methods after an interruption."""
    whole, model, models = story.learned.outcome.ending != "interrupted", story.learned.model, []
    evidence = matters = None
    with story.stages.timed("judging"):
        if story.crossed and whole:
            evidence, models = cross_judge(story.prepared, story.settings)
        elif len(test_rows):
            evidence = judge_model(story.prepared, model, train_rows, test_rows, baselines=whole)
            models = [(test_rows, model)]
            story = replace(story, prepared=replace(story.prepared, notes=(*story.prepared.notes, *evidence.notes)))
    with story.stages.timed("importance"):
        if models and whole:
            matters = overall(story.prepared, models, story.settings["seed"])
    return replace(story, evidence=evidence, matters=matters)


def _written(story: Story, folder: RunFolder) -> Run:
    reasons = None
    if story.evidence is not None and story.learned.outcome.ending != "interrupted":
        with story.stages.timed("checking explanations"):
            reasons = reasons_of(story.learned.model, story.prepared.table, story.evidence, story.settings["seed"])
    result, metrics, about = summarise(story)
    if reasons is not None:
        result, metrics, about = reasons.added(result, metrics, about)
    model = story.learned.model.with_metrics(metrics, about)
    finished = Run(folder.path, model, result, metrics, story.learned.outcome.history, story.learned.outcome.ending)
    return _kept(finished, folder, story.settings)


def _notes(lesson: Lesson, settings: dict[str, Any]) -> list[Note]:
    """What the settings mean for this table, where a user may not expect it."""
    notes, most = list(lesson.notes), int(np.bincount(lesson.folds).max())
    start = open_start(settings.get("start"))
    if start is not None:
        notes.append(Note("start", f"The network begins with {start.label}."))
    rows = len(lesson.answers)
    if settings["batch_size"] > rows:
        notes.append(Note("large_batch", f"The batch size {settings['batch_size']} is larger than the {rows} training "
                          "rows; all rows make one batch.", count=settings["batch_size"], severity="warning"))
    for kind, told in AUGMENTATIONS.items():
        if settings["augmentation"] in told and any(feature.kind == kind for feature in lesson.features):
            notes.append(Note("augmentation", told[settings["augmentation"]]))
    if most == rows:
        raise SettingsError("All rows belong to one group, so that none can be held out.", "leave group_column out")
    if lesson.task == "regress" and (words := range_warning(
            settings["output_activation"], float(lesson.answers.min()), float(lesson.answers.max()))):
        notes.append(Note("output_range", words, lesson.target.name, severity="warning"))
    return notes

