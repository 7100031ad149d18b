//! Texts that somebody, somewhere, takes for something else than text.

/// What a server that looks for patterns in statements, a quoting rule or a
/// terminal could trip over.
pub(crate) const HOSTILE: &[&str] = &[
    "",
    " ",
    "pg_catalog.secret",
    "select version()",
    "SELECT version();",
    "information_schema.tables",
    "… from information_schema.tables where 1=1",
    "pg_type",
    "SET x TO y",
    "set session characteristics",
    "BEGIN",
    "COMMIT; DROP TABLE events",
    "ROLLBACK",
    "'",
    "''",
    "it's",
    "'; DELETE FROM events; --",
    "\"",
    "\"quoted\"",
    "`",
    "\\",
    "\\'",
    "\\x00",
    "E'\\n'",
    "$1",
    "$$",
    ":name",
    "@name",
    "?",
    "%s %d %n",
    "--",
    "-- comment",
    "/*",
    "*/",
    "/* comment */",
    ";",
    ";;",
    "\0",
    "a\0b",
    "\n",
    "\r\n",
    "\t",
    "\u{7f}",
    "\u{1b}[2J",
    "x'00ff'",
    "hex:",
    "hex:00",
    "hex:zz",
    "NULL",
    "null",
    "{}",
    "{\"a\": [1, \"}\"]}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "C:\\windows",
    "${jndi:ldap://x}",
    "immudb_state()",
    "SELECT immudb_tx(1)",
    "\u{feff}",
    "\u{202e}abc",
    "e\u{301}",
    "é",
    "ß",
    "漢字",
    "👩‍🚀",
    "\u{10ffff}",
    "\u{fffd}",
    "angzarr",
    "0",
    "-1",
    "1e309",
    "9223372036854775808",
];

/// The keywords of SQL as PostgreSQL and immudb know it.
pub(crate) const KEYWORDS: &str = "abs add admin after all alter always analyze and any array as \
    asc auto_increment avg before begin between bigint binary blob boolean both by bytea cascade \
    case cast char character check cluster coalesce collate column comment commit concurrently \
    conflict constraint copy count create cross current current_date current_time \
    current_timestamp current_user cursor cycle database databases deallocate declare default \
    deferrable delete desc describe diff discard distinct do domain drop each else end escape \
    except exclude execute exists explain extract false fetch first float for foreign freeze from \
    full function grant grants group having history if ilike in index indexes inherits initially \
    inner insert instead int integer intersect interval into is isnull join json key language \
    last lateral leading left length like limit listen load local lock max min name natural next \
    no not nothing notify notnull now null nulls numeric of off offset on only or order outer over \
    overlaps owned partition password placing prepare primary privileges procedure read real \
    references reindex release rename reset restrict returning revoke right role rollback row rows \
    savepoint schema select sequence serial session session_user set show similar since smallint \
    snapshot some start substring sum symmetric table tables tablesample text then time timestamp \
    to trailing transaction trigger trim true truncate tx type union unique unknown unlisten until \
    update upsert use user users using uuid vacuum values varchar varying verbose view when where \
    window with within work write xor year zone";

/// Random numbers that are the same in every run (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Any bytes, at most `most`.
    pub(crate) fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }

    /// A string of all kinds of characters, at most `most` bytes.
    pub(crate) fn string(&mut self, most: usize) -> String {
        let mut text = String::new();
        let chars = self.below(24);
        for _ in 0..chars {
            let code = match self.below(8) {
                0..=2 => self.below(0x80),
                3 => u64::from(b"'\"\\;-/*$"[self.below(8) as usize]),
                4 => self.below(0x800),
                5 => self.below(0x1_0000),
                6 => 0x1_f300 + self.below(0x400),
                _ => self.below(0x11_0000),
            };
            // Surrogates are no characters.
            let c = char::from_u32(code as u32).unwrap_or('\u{fffd}');
            if text.len() + c.len_utf8() > most {
                break;
            }
            text.push(c);
        }
        text
    }
}
