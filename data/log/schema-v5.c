/* schema-v5.c - the log as one chain of events.
 *
 * 1. event is the log. Everything else here is derived from it, holds no text about anyone, and is
 *    held against it by verify.c: which event made the model, image, conversation, turn, verdict or
 *    check of an id, and the roots of the Merkle tree over each 1024 events.
 * 2. Rows are only added; triggers refuse UPDATE, DELETE and the INSERT OR REPLACE of a row that is
 *    there. Numbers have no gaps.
 * 3. body is readable to all who can read the file, and names no patient. sealed is what can name
 *    or describe one (seal.h); subject is whose key it is under (keys.h).
 * 4. model.lookup is SHA-256 of what the model says of itself; image.lookup is a hash keyed with a
 *    key of the subject, which nobody can guess at once that is erased.
 */
#include "schema-v5.h"

#include "schema-text.h"

/* clang-format off */

#define HASH(name) name " BLOB NOT NULL CHECK (length(" name ") = 32)"
#define BEGIN_DERIVED(table) \
  "CREATE TABLE " table " (\n" \
  "  id INTEGER PRIMARY KEY CHECK (id > 0),\n" \
  "  event INTEGER NOT NULL REFERENCES event (seq)"

const char store_schema_v5[] =
  "CREATE TABLE event (\n"
  "  seq INTEGER PRIMARY KEY CHECK (seq > 0),\n"
  "  time TEXT NOT NULL CHECK (time LIKE '____-__-__T__:__:__.___Z')"
    COLUMN("kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32)")
    COLUMN("subject INTEGER CHECK (subject > 0)")
    COLUMN("body TEXT NOT NULL")
    COLUMN("sealed BLOB CHECK ((sealed IS NULL) = (subject IS NULL))")
    COLUMN(HASH("previous"))
    COLUMN(HASH("hash"))
  END_TABLE
  APPEND_ONLY("event", "seq = NEW.seq")

  BEGIN_DERIVED("block")
    COLUMN(HASH("root"))
  END_TABLE
  APPEND_ONLY("block", "id = NEW.id")

  BEGIN_DERIVED("model")
    COLUMN(HASH("lookup"))
  END_TABLE
  INDEX("model_by_lookup", "model (lookup)")
  APPEND_ONLY("model", "id = NEW.id")

  BEGIN_DERIVED("image")
    COLUMN(HASH("lookup"))
  END_TABLE
  INDEX("image_by_lookup", "image (lookup)")
  APPEND_ONLY("image", "id = NEW.id")

  BEGIN_DERIVED("conversation")
    COLUMN("model INTEGER NOT NULL REFERENCES model (id)")
    COLUMN("rewound_from INTEGER REFERENCES conversation (id) CHECK (rewound_from < id)")
  END_TABLE
  APPEND_ONLY("conversation", "id = NEW.id")

  BEGIN_DERIVED("turn")
    COLUMN("conversation INTEGER NOT NULL REFERENCES conversation (id)")
    COLUMN("number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295)")
    COLUMN("image INTEGER REFERENCES image (id)")
  END_TABLE
  "CREATE UNIQUE INDEX turn_by_conversation ON turn (conversation, number);\n"
  APPEND_ONLY("turn",
              "id = NEW.id OR (conversation = NEW.conversation AND number = NEW.number)")

  BEGIN_DERIVED("verdict")
    COLUMN("turn INTEGER NOT NULL REFERENCES turn (id)")
  END_TABLE
  INDEX("verdict_by_turn", "verdict (turn)")
  APPEND_ONLY("verdict", "id = NEW.id")

  BEGIN_DERIVED("answer_check")
    COLUMN("turn INTEGER NOT NULL REFERENCES turn (id)")
  END_TABLE
  INDEX("answer_check_by_turn", "answer_check (turn)")
  APPEND_ONLY("answer_check", "id = NEW.id");

const char store_schema_v5_drop[] =
  "DROP TABLE turn_words; DROP TABLE verdict_words; DROP TABLE check_answers; DROP TABLE checks;"
  "DROP TABLE verdicts; DROP TABLE turn_images; DROP TABLE turns; DROP TABLE conversations;"
  "DROP TABLE models; DROP TABLE images; DROP TABLE series; DROP TABLE studies;"
  "DROP TABLE patients;";

/* clang-format on */
