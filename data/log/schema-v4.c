/* schema-v4.c - what of an image was sent, what was made of an answer, and words to find.
 *
 * 1. A region of width 0 is the whole picture, as all were before this version. It is cut out of
 *    the picture as it is stored, then turned and mirrored. voi_lut is the item of VOILUTSequence,
 *    NULL where none was in force or nobody noted it.
 * 2. turns.image is the picture that joined the conversation last; those before it are in
 *    turn_images, numbered from 1 in the order in which they joined.
 * 3. turns.pieces: for each token that the answer was drawn from, two little-endian numbers of 32
 *    bits: the bytes of the answer up to its end, and its probability (float). NULL: nobody told.
 * 4. Of a turn's verdicts the newest counts; an edited answer lies beside the model's. A check's
 *    answers may name a patient as any answer may.
 * 5. turn_words and verdict_words hold no text of their own, only words and where they are; whoever
 *    loses them can make them again ("rebuild"). Their tables are FTS5's own business. They grow in
 *    the transaction that adds the row (write.c, verdict.c) and not by triggers: a
 *    connection that trusts no schema (log.c) lets no trigger of the file write to them.
 */
#include "schema-v4.h"

#include "schema-text.h"

/* clang-format off */

#define ADD(table, column) "ALTER TABLE " table " ADD COLUMN " column ";\n"
#define NUMBER(name) name " INTEGER NOT NULL DEFAULT 0 CHECK (" name " BETWEEN 0 AND 4294967295)"
#define WORDS(table, columns, content) \
  "CREATE VIRTUAL TABLE " table " USING fts5 (" columns ", content='" content "'," \
  " content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3');\n"

const char store_schema_v4[] =
  ADD("images", NUMBER("region_x"))
  ADD("images", NUMBER("region_y"))
  ADD("images", NUMBER("region_width"))
  ADD("images", NUMBER("region_height"))
  ADD("images", "turns INTEGER NOT NULL DEFAULT 0 CHECK (turns BETWEEN 0 AND 3)")
  ADD("images", "flip INTEGER NOT NULL DEFAULT 0 CHECK (flip IN (0, 1))")
  ADD("images", "voi_lut INTEGER CHECK (voi_lut BETWEEN 0 AND 4294967295)")
  ADD("turns", "pieces BLOB CHECK (length(pieces) % 8 = 0)")

  BEGIN_TABLE("turn_images")
    COLUMN("turn INTEGER NOT NULL REFERENCES turns (id)")
    COLUMN("number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295)")
    COLUMN("image INTEGER NOT NULL REFERENCES images (id)")
  END_TABLE
  "CREATE UNIQUE INDEX turn_images_by_turn ON turn_images (turn, number);\n"
  INDEX("turn_images_by_image", "turn_images (image)")
  APPEND_ONLY("turn_images", "id = NEW.id OR (turn = NEW.turn AND number = NEW.number)")

  BEGIN_TABLE("verdicts")
    COLUMN("turn INTEGER NOT NULL REFERENCES turns (id)")
    COLUMN("verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'edited', 'rejected'))")
    COLUMN("text TEXT CHECK ((text IS NOT NULL) = (verdict = 'edited'))")
    COLUMN("user_name TEXT NOT NULL") /* as the system knows the person */
    COLUMN("real_name TEXT")
  END_TABLE
  INDEX("verdicts_by_turn", "verdicts (turn)")
  APPEND_ONLY("verdicts", "id = NEW.id")

  BEGIN_TABLE("checks")
    COLUMN("turn INTEGER NOT NULL REFERENCES turns (id)")
    COLUMN("kind TEXT NOT NULL CHECK (kind IN ('blank', 'seeds'))")
    FLAG("same")
    COLUMN("agreement REAL CHECK (agreement BETWEEN 0 AND 1)")
  END_TABLE
  INDEX("checks_by_turn", "checks (turn)")
  APPEND_ONLY("checks", "id = NEW.id")

  BEGIN_TABLE("check_answers")
    COLUMN("of_check INTEGER NOT NULL REFERENCES checks (id)")
    COLUMN("number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295)")
    COLUMN("answer TEXT NOT NULL")
    COLUMN("seed INTEGER NOT NULL")
    FLAG("blank")
  END_TABLE
  "CREATE UNIQUE INDEX check_answers_by_check ON check_answers (of_check, number);\n"
  APPEND_ONLY("check_answers", "id = NEW.id OR (of_check = NEW.of_check AND number = NEW.number)")

  WORDS("turn_words", "question, answer", "turns")
  WORDS("verdict_words", "text", "verdicts")
  "INSERT INTO turn_words (turn_words) VALUES ('rebuild');\n";

/* clang-format on */
