"""SDF files as tables."""
from pellucid.data.read import read_table

BLOCK = "{title}\n  made up\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0 0.0 0.0 C   0  0\nM  END\n"
FIELDS = "> <ACTIVITY>  (1)\n{activity}\n\n> <NOTE>\ntwo\nlines\n\n$$$$\n"


def write(path, text):
    path.write_bytes(text.encode())
    return read_table(path)


def test_blocks_titles_and_properties_become_columns(tmp_path):
    text = "".join(BLOCK.format(title=f"one {row}") + FIELDS.format(activity=row / 2) for row in range(3))
    table = write(tmp_path / "a.sdf", text)
    assert table.names == ("molecule", "name", "ACTIVITY", "NOTE") and not table.notes
    assert table.column("ACTIVITY").to_list() == ["0.0", "0.5", "1.0"] and table.column("NOTE")[0] == "two\nlines"
    assert table.column("molecule")[1].startswith("one 1\n") and table.column("molecule")[1].endswith("M  END")
    assert write(tmp_path / "b.sdf", text.replace("\n", "\r\n")).frame.equals(table.frame)
    assert write(tmp_path / "c.txt", text).frame.equals(table.frame)  # told by its fourth line


def test_records_that_lack_something(tmp_path):
    text = (BLOCK.format(title="") + "> <name>\nfirst\n\n$$$$\n\n$$$$\nbroken\n  x\n> <name>\nsecond\n\n"
            "> <molecule>\n7\n\n$$$$\n" + BLOCK.format(title="last"))
    table = write(tmp_path / "a.sdf", text)
    assert table.names == ("molecule", "title", "name", "molecule (property)") and len(table) == 3
    assert table.column("molecule").is_null().to_list() == [False, True, False]
    assert table.column("name").to_list() == ["first", "second", None]
    assert table.notes[0].message == "1 of 3 records of `a.sdf` hold no whole mol block: record 2 (broken)."


def test_a_table_with_mol_blocks_stays_a_table(tmp_path):
    block = BLOCK.format(title="one")
    table = write(tmp_path / "a.csv", f'block,y\n"{block}",1\n"{block}",2\n')
    assert table.names == ("block", "y") and len(table) == 2
