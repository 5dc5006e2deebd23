"""Molecules in space: positions and kinds of atoms, in one frame where there is one."""
import json

import numpy as np
import polars as pl
import pytest

pytest.importorskip("rdkit")
from pellucid.features import chemistry  # noqa: E402
from pellucid.features.molecule_3d import Molecule3D, are_aligned  # noqa: E402
from pellucid.features.types import feature_from_json  # noqa: E402


def blocks(count=8, turned=False):
    """Rings with a growing tail, in one frame or each in one of its own."""
    chem, generator, made = chemistry.rdkit(), np.random.default_rng(0), []
    for number in range(count):
        molecule = chem.MolFromSmiles("c1ccccc1" + "CO"[number % 2] + "C" * (number // 2))
        angles = np.arange(molecule.GetNumAtoms()) * np.pi / 3
        places = np.stack([1.4 * np.cos(angles), 1.4 * np.sin(angles), 0.3 * np.cos(3 * angles)], axis=1)
        places[6:] = [[3.0 + 1.3 * step, 0.4 * (step % 2), 0.0] for step in range(len(places) - 6)]
        if turned:
            places = (places - places.mean(axis=0)) @ np.linalg.qr(generator.standard_normal((3, 3)))[0]
        conformer = chem.Conformer(len(places))
        conformer.Set3D(True)
        for atom, place in enumerate(places.tolist()):
            conformer.SetAtomPosition(atom, place)
        molecule.AddConformer(conformer)
        made.append(chem.MolToMolBlock(molecule))
    return made


def test_a_common_frame_is_found_and_kept():
    feature = Molecule3D.fit("molecule", pl.Series(blocks()))
    assert feature.aligned
    assert feature.channels == ("C", "O", "aromatic", "hydrogen bond donor", "hydrogen bond acceptor")
    one = feature.encode(pl.Series(blocks(2)))
    assert one.raw["positions"].dtype == np.float32 and one.raw["channels"].dtype == np.uint8 and not one.counts
    assert np.allclose(one.raw["positions"][0, :6], one.raw["positions"][1, :6], atol=1e-3)
    assert one.raw["channels"].sum(axis=1)[0].tolist() == [7, 0, 6, 0, 0]
    alone = Molecule3D.fit("molecule", pl.Series(blocks(turned=True)))
    assert not alone.aligned
    assert np.allclose(alone.encode(pl.Series(blocks(1))).raw["positions"].sum(axis=1), 0, atol=1e-3)
    assert not are_aligned([np.eye(3)])


def test_shapes_are_made_up_for_smiles_and_trouble_is_named():
    cells = pl.Series(["CCO", "CC(=O)N", None, "C1CC", "C" * 400])
    feature = Molecule3D.fit("smiles", cells)
    assert not feature.aligned
    one = feature.encode(cells)
    assert one.counts == {"missing": 1, "unreadable": 2}
    assert "not written as" in one.trouble[3] and "no shape in space" in one.trouble[4]
    distances = np.linalg.norm(np.diff(one.raw["positions"][0, :3], axis=0), axis=1)
    assert np.allclose(distances, [1.5, 1.4], atol=0.15)
    assert np.array_equal(one.raw["positions"], feature.encode(cells).raw["positions"])


def test_json_probe_and_atoms_outside_of_the_grid():
    feature = Molecule3D.fit("molecule", pl.Series(blocks()))
    assert feature_from_json(json.loads(json.dumps(feature.to_json()))) == feature
    real, made = feature.encode(pl.Series(blocks())).raw, feature.probe(3, np.random.default_rng(0))
    assert {name: (a.dtype, a.shape[1:]) for name, a in real.items()} == {
        name: (a.dtype, a.shape[1:]) for name, a in made.items()}
    far = blocks(1)[0].replace("    1.4000", "   99.4000")
    assert feature.encode(pl.Series([far])).counts == {"cut": 1}
    none = Molecule3D.fit("molecule", pl.Series(["no"]))
    assert none.encode(pl.Series(["no"])).counts == {"unreadable": 1}
