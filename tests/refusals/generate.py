#!/usr/bin/env python3
"""Writes the encodings that a strict reader refuses, each beside its neighbour that it accepts.

    tests/refusals/generate.py

The same run gives the same files; README.md says what is in them.
"""

import hashlib
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def i64(n):
    return struct.pack(">q", n)


def write(kind, fields, cases):
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names)), names
    assert any(case["expect"] for case in cases) and not all(case["expect"] for case in cases)
    lines = [json.dumps({**case}) for case in cases]
    head = json.dumps({"kind": kind, "source": "counterfoil", "fields": fields})[:-1]
    (HERE / f"{kind}.json").write_text(head + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n")


def bytes_cases(rows):
    return [
        {"name": name, "bytes": data.hex(), "expect": expect, "why": why}
        for name, data, expect, why in rows
    ]


def tx_metadata():
    truncated, extra = b"\0" + u64(7), b"\1" + u16(3) + b"abc"
    write("tx_metadata_bytes", "bytes: a transaction's metadata", bytes_cases([
        ("none", b"", True, "no metadata is no bytes"),
        ("truncated", truncated, True, "one part"),
        ("extra", extra, True, "the other part"),
        ("both", truncated + extra, True, "both parts in their order"),
        ("extra of no bytes", b"\1" + u16(0), True, "a part that is there and empty"),
        ("longest extra", b"\1" + u16(256) + bytes(256), True, "256 bytes are the most"),
        ("both, the other order", extra + truncated, False, "the parts have one order"),
        ("truncated twice", truncated + truncated, False, "a part is there once"),
        ("extra twice", extra + extra, False, "a part is there once"),
        ("unknown part", b"\2", False, "there are two kinds of part"),
        ("unknown part after a known one", truncated + b"\2", False, "nothing unknown follows"),
        ("truncated, cut off", truncated[:-1], False, "a number has 8 bytes"),
        ("truncated, no number", b"\0", False, "a number has 8 bytes"),
        ("extra, cut off", extra[:-1], False, "as many bytes as the length says"),
        ("extra, no length", b"\1", False, "a length has 2 bytes"),
        ("extra, half a length", b"\1\0", False, "a length has 2 bytes"),
        ("extra longer than its length", extra + b"d", False, "nothing follows"),
        ("extra too long", b"\1" + u16(257) + bytes(257), False, "256 bytes are the most"),
    ]))


def entry_metadata():
    expires = b"\1" + i64(4102444800)
    write("entry_metadata_bytes", "bytes: an entry's metadata", bytes_cases([
        ("none", b"", True, "no metadata is no bytes"),
        ("deleted", b"\0", True, "one part"),
        ("expires", expires, True, "one part"),
        ("non-indexable", b"\2", True, "one part"),
        ("all", b"\0" + expires + b"\2", True, "all parts in their order"),
        ("expires before 1970", b"\1" + i64(-1), True, "the number has a sign"),
        ("deleted twice", b"\0\0", False, "a part is there once"),
        ("expires twice", expires + expires, False, "a part is there once"),
        ("non-indexable twice", b"\2\2", False, "a part is there once"),
        ("expires, then deleted", expires + b"\0", False, "the parts have one order"),
        ("non-indexable, then deleted", b"\2\0", False, "the parts have one order"),
        ("non-indexable, then expires", b"\2" + expires, False, "the parts have one order"),
        ("unknown part", b"\3", False, "there are three kinds of part"),
        ("unknown part at the end", b"\0\3", False, "nothing unknown follows"),
        ("expires, cut off", expires[:-1], False, "a number has 8 bytes"),
        ("expires, no number", b"\1", False, "a number has 8 bytes"),
    ]))


COLUMNS = [
    {"id": 1, "name": "n", "type": "INTEGER", "max_length": 8, "not_null": True},
    {"id": 2, "name": "b", "type": "BOOLEAN", "max_length": 1, "not_null": False},
    {"id": 4, "name": "v", "type": "VARCHAR", "max_length": 6, "not_null": True},
    {"id": 5, "name": "d", "type": "BLOB", "max_length": 5, "not_null": False},
    {"id": 6, "name": "u", "type": "UUID", "max_length": 16, "not_null": False},
]
TABLE = {"table_id": 3, "table": "t", "columns": COLUMNS, "primary_key": [4, 1]}


def column(column_id, data, length=None):
    return u32(column_id) + u32(len(data) if length is None else length) + data


def value(*parts, count=None):
    return u32(len(parts) if count is None else count) + b"".join(parts)


def sql_value():
    n, b, v = column(1, i64(5)), column(2, b"\1"), column(4, b"text")
    d, u = column(5, b"12345"), column(6, bytes(16))
    rows = [
        ("every column", value(n, b, v, d, u), True, "each in the order of the ids"),
        ("only what must be there", value(n, v), True, "NULL is the absence of a column"),
        ("empty text and bytes", value(n, column(4, b""), column(5, b"")), True, "empty is not NULL"),
        ("no bytes", b"", False, "the count has 4 bytes"),
        ("half a count", b"\0\0", False, "the count has 4 bytes"),
        ("count one too many", value(n, v, count=3), False, "as many columns as the count says"),
        ("count one too few", value(n, v, count=1), False, "nothing follows the last column"),
        ("count of 2^32 - 1", value(n, v, count=2**32 - 1), False, "as many columns as the count says"),
        ("trailing byte", value(n, v) + b"\0", False, "nothing follows the last column"),
        ("a column twice", value(n, n, v), False, "a column is there once"),
        ("a column twice, with another value", value(n, column(1, i64(6)), v), False, "a column is there once"),
        ("columns out of order", value(v, n), False, "the ids rise"),
        ("unknown column in between", value(n, column(3, b"x"), v), False, "the table has no such column"),
        ("unknown column at the end", value(n, v, column(7, b"x")), False, "the table has no such column"),
        ("column 0", value(column(0, b""), n, v), False, "ids count from 1"),
        ("a key column is missing", value(v), False, "a key column is never NULL"),
        ("a NOT NULL column is missing", value(n), False, "NOT NULL means that it is there"),
        ("cut off in a value", value(n, v)[:-1], False, "as many bytes as the length says"),
        ("length beyond the end", value(n, column(4, b"text", length=5)), False, "as many bytes as the length says"),
        ("length of 2^32 - 1", value(n, column(4, b"text", length=2**32 - 1)), False, "as many bytes as the length says"),
        ("INTEGER of 7 bytes", value(column(1, bytes(7)), v), False, "an INTEGER has 8 bytes"),
        ("INTEGER of 9 bytes", value(column(1, bytes(9)), v), False, "an INTEGER has 8 bytes"),
        ("INTEGER of no bytes", value(column(1, b""), v), False, "an INTEGER has 8 bytes"),
        ("BOOLEAN 2", value(n, column(2, b"\2"), v), False, "a BOOLEAN is 0 or 1"),
        ("BOOLEAN of 2 bytes", value(n, column(2, b"\0\1"), v), False, "a BOOLEAN has 1 byte"),
        ("BOOLEAN of no bytes", value(n, column(2, b""), v), False, "a BOOLEAN has 1 byte"),
        ("text that is no UTF-8", value(n, column(4, b"\xff")), False, "text is UTF-8"),
        ("text with half a character", value(n, column(4, "\u00e9".encode()[:1])), False, "text is UTF-8"),
        ("text with an overlong character", value(n, column(4, b"\xc0\x80")), False, "text is UTF-8"),
        ("text as long as the column", value(n, column(4, b"123456")), True, "6 bytes are the most"),
        ("text longer than the column", value(n, column(4, b"1234567")), False, "6 bytes are the most"),
        ("bytes longer than the column", value(n, v, column(5, b"123456")), False, "5 bytes are the most"),
        ("UUID of 15 bytes", value(n, v, column(6, bytes(15))), False, "a UUID has 16 bytes"),
    ]
    write("sql_value_bytes", "value_hex: a row's value, for the table", [
        {"name": name, **TABLE, "value_hex": data.hex(), "expect": expect, "why": why}
        for name, data, expect, why in rows
    ])


def sql_key():
    row = {"1": {"type": "INTEGER", "value": 5}, "4": {"type": "VARCHAR", "value": "text"}}
    integer = b"\x80" + (5 + 2**63).to_bytes(8, "big")

    def text(content, padding=b"", length=None):
        padded = (content + padding).ljust(6, b"\0")
        return b"\x80" + padded + u32(len(content) if length is None else length)

    def key(*parts, prefix=b"\2R.", one=1, table=3, index=0):
        return prefix + u32(one) + u32(table) + u32(index) + b"".join(parts)

    honest = key(text(b"text"), integer)
    rows = [
        ("the row's key", honest, True, "the columns in the order of the primary key"),
        ("columns in the order of their ids", key(integer, text(b"text")), False, "the order is the primary key's"),
        ("padding that is not zero", key(text(b"text", b"x"), integer), False, "the padding is zeros"),
        ("length of the padded text", key(text(b"text", length=6), integer), False, "the length is the text's"),
        ("length one too short", key(text(b"text", length=3), integer), False, "the length is the text's"),
        ("another text", key(text(b"Text"), integer), False, "the key is the row's"),
        ("another number", honest[:-1] + b"\6", False, "the key is the row's"),
        ("the sign bit not flipped", honest[:-8] + i64(5), False, "the sign bit is flipped"),
        ("marked NULL", honest.replace(b"\x80text", b"\x20text"), False, "a key column is never NULL"),
        ("another table", key(text(b"text"), integer, table=4), False, "the table's id is part of the key"),
        ("another index", key(text(b"text"), integer, index=1), False, "rows stand under index 0"),
        ("another database", key(text(b"text"), integer, one=2), False, "the number is always 1"),
        ("another prefix", key(text(b"text"), integer, prefix=b"\2M."), False, "rows begin with 02 R."),
        ("no first byte", honest[1:], False, "SQL's entries begin with 02"),
        ("a byte follows", honest + b"\0", False, "nothing follows the last column"),
        ("cut off", honest[:-1], False, "the last column is whole"),
        ("no columns", key(), False, "every column of the primary key is there"),
        ("no bytes", b"", False, "a key is never empty"),
    ]
    write("sql_key_bytes", "key_hex: a row's key, for the table and the row", [
        {"name": name, **TABLE, "row": row, "key_hex": data.hex(), "expect": expect, "why": why}
        for name, data, expect, why in rows
    ])


def catalog_key(name, *numbers, tail=b"", one=1):
    return b"\2CTL." + name + b"." + u32(one) + b"".join(map(u32, numbers)) + tail


def catalog_entry():
    table, check = catalog_key(b"TABLE", 3), catalog_key(b"CHECK", 3, 0)
    integer = catalog_key(b"COLUMN", 3, 1, tail=b"INTEGER")
    index = catalog_key(b"INDEX", 3, 0)
    default = b"\4" + u32(8) + u16(1) + b"n" + b"1 + 1"
    rows = [
        ("table", table, b"t", True, "a name"),
        ("column", integer, b"\1" + u32(8) + b"n", True, "flags, length, name"),
        ("column with a default", integer, default, True, "the name has its length in front"),
        ("index", index, b"\1" + u32(1) + b"\0", True, "unique, and one column"),
        ("check", check, b"\0c" + b"n > 0" + b"\0", True, "name, expression, and a zero"),
        ("default of nothing", integer, b"\4" + u32(8) + u16(1) + b"n", True, "an empty BLOB is written as no text"),
        ("check of nothing", check, b"\0c" + b"\0", True, "EXISTS is written as no text"),
        ("column that counts up", integer, b"\2" + u32(8) + b"n", True, "an INTEGER may"),
        ("index of eight columns", catalog_key(b"INDEX", 3, 1), b"\0" + b"".join(u32(n) + b"\0" for n in range(1, 9)), True, "no index has more"),
        ("table 0", catalog_key(b"TABLE", 0), b"t", False, "tables are numbered from 1"),
        ("column of table 0", catalog_key(b"COLUMN", 0, 1, tail=b"INTEGER"), b"\1" + u32(8) + b"n", False, "tables are numbered from 1"),
        ("index of table 0", catalog_key(b"INDEX", 0, 0), b"\1" + u32(1) + b"\0", False, "tables are numbered from 1"),
        ("check of table 0", catalog_key(b"CHECK", 0, 0), b"\0c" + b"n > 0" + b"\0", False, "tables are numbered from 1"),
        ("column that counts up and is none to count", catalog_key(b"COLUMN", 3, 1, tail=b"TIMESTAMP"), b"\2" + u32(8) + b"n", False, "only an INTEGER may"),
        ("index over column 0", index, b"\1" + u32(0) + b"\0", False, "columns are numbered from 1"),
        ("index over a column twice", index, b"\1" + u32(1) + b"\0" + u32(2) + b"\0" + u32(1) + b"\0", False, "a column is in an index once"),
        ("index of nine columns", catalog_key(b"INDEX", 3, 1), b"\0" + b"".join(u32(n) + b"\0" for n in range(1, 10)), False, "eight is the most"),
        ("primary key that is not unique", index, b"\0" + u32(1) + b"\0", False, "index 0 is the primary key"),
        ("table without a name", table, b"", False, "a name is not empty"),
        ("table whose name is no UTF-8", table, b"\xff", False, "a name is UTF-8"),
        ("key with a byte more", table + b"\0", b"t", False, "the key is exactly as long"),
        ("key cut off", table[:-1], b"t", False, "the key is exactly as long"),
        ("key of another database", catalog_key(b"TABLE", 3, one=2), b"t", False, "the number is always 1"),
        ("key of a row", b"\2R." + u32(1) + u32(3) + u32(0), b"t", False, "a row is not the catalog's"),
        ("key of something unknown", catalog_key(b"VIEW", 3), b"t", False, "there are four kinds"),
        ("column of an unknown type", catalog_key(b"COLUMN", 3, 1, tail=b"DECIMAL"), b"\0" + u32(8) + b"n", False, "types are known by name"),
        ("column of a type in small letters", catalog_key(b"COLUMN", 3, 1, tail=b"integer"), b"\0" + u32(8) + b"n", False, "types are known by name"),
        ("column with an unknown flag", integer, b"\x08" + u32(8) + b"n", False, "there are three flags"),
        ("column without a name", integer, b"\0" + u32(8), False, "a name is not empty"),
        ("column without a length", integer, b"\0" + b"\0\0", False, "a length has 4 bytes"),
        ("column without a value", integer, b"", False, "what drops something defines nothing"),
        ("default cut off in the name", integer, b"\4" + u32(8) + u16(9) + b"n", False, "as many bytes as the length says"),
        ("default without a name's length", integer, b"\4" + u32(8) + b"\0", False, "a length has 2 bytes"),
        ("index that is neither unique nor not", index, b"\2" + u32(1) + b"\0", False, "unique is 0 or 1"),
        ("index without columns", index, b"\1", False, "an index has columns"),
        ("index with half a column", index, b"\1" + u32(1), False, "a column has 5 bytes"),
        ("index in descending order", index, b"\1" + u32(1) + b"\1", False, "the byte after a column is 0"),
        ("check without the zero", check, b"\0c" + b"n > 0", False, "a zero ends the expression"),
        ("check cut off in the name", check, b"\5c", False, "as many bytes as the length says"),
    ]
    write("catalog_entry_bytes", "key_hex and value_hex: an entry that defines something", [
        {"name": name, "key_hex": key.hex(), "value_hex": data.hex(), "expect": expect, "why": why}
        for name, key, data, expect, why in rows
    ])


def entry_digest(key, data):
    return hashlib.sha256(u16(0) + u16(len(key)) + key + hashlib.sha256(data).digest()).digest()


def tree_root(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + tree_root(leaves[:half]) + tree_root(leaves[half:])).digest()


def catalog_claims():
    """A schema that somebody claims, against the root over the entries that really created it."""
    entries = [entry_digest(catalog_key(b"INDEX", 3, 0), b"\1" + u32(4) + b"\0" + u32(1) + b"\0")]
    for c in COLUMNS:
        key = catalog_key(b"COLUMN", 3, c["id"], tail=c["type"].encode())
        data = bytes([c["not_null"]]) + u32(c["max_length"]) + c["name"].encode()
        entries.append(entry_digest(key, data))
    entries.append(entry_digest(catalog_key(b"TABLE", 3), b"t"))
    eh = tree_root(entries).hex()

    def changed(which, **fields):
        columns = [{**c, **(fields if c["name"] == which else {})} for c in COLUMNS]
        return {**TABLE, "columns": columns}

    def swapped(a, b):
        ids = {a: b, b: a}
        columns = [{**c, "name": ids.get(c["name"], c["name"])} for c in COLUMNS]
        return {**TABLE, "columns": columns}

    claims = [
        ("the schema that was created", TABLE, True, "index, columns, table, in this order"),
        ("two names swapped", swapped("b", "v"), False, "a name belongs to its column's id"),
        ("another name of a column", changed("d", name="x"), False, "names are part of the entries"),
        ("another type", changed("d", type="VARCHAR"), False, "types are part of the entries"),
        ("another length", changed("v", max_length=7), False, "lengths are part of the entries"),
        ("NULL allowed", changed("v", not_null=False), False, "flags are part of the entries"),
        ("another id", changed("u", id=7), False, "ids are part of the entries"),
        ("a column less", {**TABLE, "columns": COLUMNS[:-1]}, False, "all columns are there"),
        ("a column more", {**TABLE, "columns": COLUMNS + [{"id": 7, "name": "x", "type": "JSON", "max_length": 0, "not_null": False}]}, False, "no others are"),
        ("another order of the primary key", {**TABLE, "primary_key": [1, 4]}, False, "the order is part of the index"),
        ("a shorter primary key", {**TABLE, "primary_key": [4]}, False, "all key columns are there"),
        ("another table's number", {**TABLE, "table_id": 4}, False, "the number is part of every key"),
        ("another table's name", {**TABLE, "table": "s"}, False, "the name is an entry"),
    ]
    write("catalog_claim", "a schema, and eh: the root over the entries of its CREATE TABLE", [
        {"name": name, **claim, "eh": eh, "expect": expect, "why": why}
        for name, claim, expect, why in claims
    ])


def kv_entries():
    key = b"\0key"
    sorted_set = b"\1" + u64(3) + b"set" + u64(0x3FF0000000000000) + u64(4) + b"\0key" + u64(9)
    reference = b"\1" + u64(9) + b"\0other"
    rows = [
        ("set", key, b"\0value", False, True, "a value behind a 0"),
        ("set, an empty value", key, b"\0", False, True, "an empty value is one"),
        ("delete", key, b"", True, True, "no value, and the metadata says so"),
        ("reference", key, reference, False, True, "a transaction, and a key"),
        ("sorted set", sorted_set, b"", False, True, "everything is in the key"),
        ("no value and not deleted", key, b"", False, False, "only a deletion has no value"),
        ("a value and deleted", key, b"\0value", True, False, "a deletion has no value"),
        ("value of an unknown kind", key, b"\2", False, False, "there are two kinds of value"),
        ("empty key", b"\0", b"\0", False, False, "a key is not empty"),
        ("no key at all", b"", b"\0", False, False, "a key has its kind in front"),
        ("key of SQL", b"\2R.", b"\0", False, False, "SQL's entries are not the key-value API's"),
        ("reference cut off", key, reference[:5], False, False, "a number has 8 bytes"),
        ("reference to an empty key", key, b"\1" + u64(9) + b"\0", False, False, "a key is not empty"),
        ("reference to nothing", key, b"\1" + u64(9), False, False, "there is a key"),
        ("reference to a sorted set's key", key, b"\1" + u64(9) + b"\1x", False, False, "it refers to a plain key"),
        ("sorted set with a value", sorted_set, b"\0", False, False, "it has no value"),
        ("sorted set, a byte more", sorted_set + b"\0", b"", False, False, "nothing follows"),
        ("sorted set cut off", sorted_set[:-1], b"", False, False, "a number has 8 bytes"),
        ("sorted set without a name", b"\1" + u64(0) + sorted_set[12:], b"", False, False, "a name is not empty"),
        ("sorted set with a length beyond the end", b"\1" + u64(2**64 - 1) + sorted_set[9:], b"", False, False, "as many bytes as the length says"),
        ("sorted set of an empty key", b"\1" + u64(3) + b"set" + u64(0) + u64(1) + b"\0" + u64(9), b"", False, False, "a key is not empty"),
    ]
    write("kv_entry_bytes", "key_hex and value_hex: an entry; deleted: what its metadata says", [
        {"name": name, "key_hex": k.hex(), "value_hex": v.hex(), "deleted": deleted, "expect": expect, "why": why}
        for name, k, v, deleted, expect, why in rows
    ])


def headers():
    base = {
        "id": 7, "ts": 1700000000, "version": 1, "metadata_hex": "", "nentries": 1,
        "prev_alh": "11" * 32, "eh": "22" * 32, "bl_tx_id": 6, "bl_root": "33" * 32,
    }
    rows = [
        ("a header", {}, True, "everything is as it can be"),
        ("a tree that lags", {"bl_tx_id": 2}, True, "a tree may lag"),
        ("a time before 1970", {"ts": -1}, True, "the time has a sign"),
        ("as many entries as version 1 can state", {"nentries": 2**31 - 1}, True, "2^31 - 1 are the most"),
        ("as many entries as version 0 can state", {"version": 0, "nentries": 65535}, True, "65,535 are the most"),
        ("transaction 0", {"id": 0, "bl_tx_id": 0}, False, "transactions count from 1"),
        ("a tree with the transaction itself", {"bl_tx_id": 7}, False, "the tree ends before the transaction"),
        ("a tree of the future", {"bl_tx_id": 2**64 - 1}, False, "the tree ends before the transaction"),
        ("no entries", {"nentries": 0}, False, "a transaction has entries"),
        ("too many entries for version 1", {"nentries": 2**31}, False, "2^31 - 1 are the most"),
        ("too many entries for version 0", {"version": 0, "nentries": 65536}, False, "65,535 are the most"),
        ("an unknown version", {"version": 2}, False, "there are versions 0 and 1"),
        ("metadata in version 0", {"version": 0, "metadata_hex": (b"\0" + u64(1)).hex()}, False, "version 0 has no metadata"),
    ]
    write("tx_header_fields", "a header's fields; refused means: it has no hash", [
        {"name": name, **base, **fields, "expect": expect, "why": why}
        for name, fields, expect, why in rows
    ])


def state_keys():
    x = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
    y = bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    point = b"\4" + x + y
    rows = [
        ("the group's generator", "sec1", point, True, "an uncompressed point"),
        ("the same as SubjectPublicKeyInfo", "spki", prefix + point, True, "91 bytes of DER"),
        ("compressed", "sec1", b"\3" + x, False, "one form: uncompressed"),
        ("hybrid", "sec1", b"\7" + x + y, False, "one form: uncompressed"),
        ("not on the curve", "sec1", point[:-1] + b"\0", False, "the point is on the curve"),
        ("the origin", "sec1", b"\4" + bytes(64), False, "the point is on the curve"),
        ("a coordinate beyond the field", "sec1", b"\4" + b"\xff" * 64, False, "coordinates are below the prime"),
        ("the point at infinity", "sec1", b"\0", False, "it is no key"),
        ("a byte more", "sec1", point + b"\0", False, "65 bytes"),
        ("a byte less", "sec1", point[:-1], False, "65 bytes"),
        ("no bytes", "sec1", b"", False, "65 bytes"),
        ("SubjectPublicKeyInfo, a byte more", "spki", prefix + point + b"\0", False, "91 bytes"),
        ("SubjectPublicKeyInfo of another curve", "spki", prefix.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030106")) + point, False, "the curve is P-256"),
        ("the point where SubjectPublicKeyInfo is due", "spki", point, False, "91 bytes of DER"),
        ("SubjectPublicKeyInfo where the point is due", "sec1", prefix + point, False, "65 bytes"),
    ]
    write("state_key_bytes", "bytes: a P-256 key, in the form that is due", [
        {"name": name, "form": form, "bytes": data.hex(), "expect": expect, "why": why}
        for name, form, data, expect, why in rows
    ])


tx_metadata()
entry_metadata()
sql_value()
sql_key()
catalog_entry()
catalog_claims()
kv_entries()
headers()
state_keys()
