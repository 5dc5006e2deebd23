"""Predict a property of molecules from a table that this script makes: how many bonds long each one is.

    pip install 'pellucid[molecules]'
    python examples/molecules.py

The molecules come with RDKit. The property is the longest of the shortest ways between two of their atoms.
"""
import csv
import tempfile
from pathlib import Path

import polars as pl
from rdkit import Chem, RDConfig, rdBase

import pellucid

MOLECULES, EPOCHS = 600, 15
source = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"
with source.open() as file:
    smiles = [row[0] for row in csv.reader(file, delimiter="\t")][:MOLECULES]

blocked = rdBase.BlockLogs()  # what RDKit says of broken molecules
known = [(text, molecule) for text in smiles if (molecule := Chem.MolFromSmiles(text)) and "." not in text]
table = pl.DataFrame({"smiles": [text for text, _ in known],
                      "length": [float(Chem.GetDistanceMatrix(molecule).max()) for _, molecule in known]})

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "molecules.csv"
    table.write_csv(path)
    run = pellucid.train(path, target="length", run=Path(folder) / "run", epochs=EPOCHS, members=2)
print(run)

asked = pl.DataFrame({"smiles": ["CCO", "OCC", "c1ccccc1C(=O)O", "[Na+].[Cl-]", "C1CC"]})
found = run.model.predict(asked)
print(found.to_frame())
for note in found.notes:
    print("note:", note.message)
