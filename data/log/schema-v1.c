/* schema-v1.c - the first version of the tables.
 *
 * 1. Rows are only added. Triggers refuse UPDATE and DELETE, and an INSERT OR REPLACE of a row that
 *    is there, for it would be a DELETE that fires no trigger.
 * 2. A row is what was known when it was written: a study whose description changes gets a new row.
 * 3. What can name or describe a patient is in patients, studies, images.path and the texts and ids
 *    of turns, and nowhere else.
 * 4. Ids of tokens are blobs of little-endian int32. The seed is an unsigned number kept in the 64
 *    bits of an integer. Not-a-number is NULL.
 */
#include "schema-v1.h"

#include "schema-text.h"

/* The tables read as SQL, one entry a line. */
/* clang-format off */

const char store_schema_v1[] =
  "PRAGMA application_id = 0x48494c4d;\n"

  BEGIN_TABLE("patients")
    COLUMN("patient_id TEXT")
    COLUMN("patient_name TEXT")
    COLUMN("CHECK (patient_id IS NOT NULL OR patient_name IS NOT NULL)")
  END_TABLE
  INDEX("patients_by_id", "patients (patient_id, patient_name)")
  APPEND_ONLY("patients", "id = NEW.id")

  BEGIN_TABLE("studies")
    COLUMN("patient INTEGER REFERENCES patients (id)")
    COLUMN("study_instance_uid TEXT")
    COLUMN("study_date TEXT")
    COLUMN("study_description TEXT")
  END_TABLE
  INDEX("studies_by_uid", "studies (study_instance_uid)")
  INDEX("studies_by_patient", "studies (patient)")
  APPEND_ONLY("studies", "id = NEW.id")

  BEGIN_TABLE("series")
    COLUMN("study INTEGER REFERENCES studies (id)")
    COLUMN("series_instance_uid TEXT")
    COLUMN("modality TEXT")
  END_TABLE
  INDEX("series_by_uid", "series (series_instance_uid)")
  INDEX("series_by_study", "series (study)")
  APPEND_ONLY("series", "id = NEW.id")

  BEGIN_TABLE("images")
    COLUMN("series INTEGER REFERENCES series (id)")
    COLUMN("path TEXT")
    COLUMN("sop_instance_uid TEXT")
    COLUMN("sop_class TEXT")
    COLUMN("transfer_syntax TEXT")
    COUNT("frame")
    FLAG("has_window")
    COLUMN("window_center REAL")
    COLUMN("window_width REAL")
    COLUMN("voi_function TEXT")
    FLAG("inverted")
    SHA256("pixels_sha256") /* of the stored pixels */
    SHA256("sent_sha256")   /* of the RGB picture that the model saw */
    FLAG("blank")
  END_TABLE
  INDEX("images_by_sent", "images (sent_sha256, sop_instance_uid, frame)")
  INDEX("images_by_uid", "images (sop_instance_uid)")
  INDEX("images_by_series", "images (series)")
  APPEND_ONLY("images", "id = NEW.id")

  BEGIN_TABLE("models")
    COLUMN("name TEXT")
    SHA256("sha256")
    COLUMN("quantization TEXT")
    COLUMN("path TEXT")
    COLUMN("template_name TEXT")
  END_TABLE
  INDEX("models_by_sha256", "models (sha256)")
  APPEND_ONLY("models", "id = NEW.id")

  BEGIN_TABLE("conversations")
    COLUMN("model INTEGER NOT NULL REFERENCES models (id)")
    COLUMN("program_version TEXT")
    COLUMN("rewound_from INTEGER REFERENCES conversations (id) CHECK (rewound_from < id)")
    COLUMN("rewound_turn INTEGER CHECK (rewound_turn BETWEEN 0 AND 4294967295)")
    COLUMN("CHECK ((rewound_from IS NULL) = (rewound_turn IS NULL))")
  END_TABLE
  INDEX("conversations_by_model", "conversations (model)")
  INDEX("conversations_by_origin", "conversations (rewound_from)")
  APPEND_ONLY("conversations", "id = NEW.id")

  BEGIN_TABLE("turns")
    COLUMN("conversation INTEGER NOT NULL REFERENCES conversations (id)")
    COLUMN("number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295)")
    COLUMN("image INTEGER REFERENCES images (id)")
    COLUMN("question TEXT NOT NULL")
    COLUMN("answer TEXT NOT NULL")
    IDS("prompt_ids")
    IDS("answer_ids")
    COLUMN("stop TEXT")
    COLUMN("temperature REAL")
    COLUMN("top_p REAL")
    COLUMN("seed INTEGER NOT NULL")
    COUNT("max_tokens")
    COLUMN("image_s REAL")
    COLUMN("prompt_s REAL")
    COLUMN("first_token_s REAL")
    COLUMN("answer_s REAL")
    COUNT("prompt_tokens")
    COUNT("answer_tokens")
    COLUMN("answer_form TEXT")
    COLUMN("instruction_rule TEXT")
    COLUMN("instruction_list TEXT")
    COLUMN("instruction_text TEXT")
    COUNT("instruction_words")
    COUNT("instruction_threshold")
  END_TABLE
  "CREATE UNIQUE INDEX turns_by_conversation ON turns (conversation, number);\n"
  INDEX("turns_by_image", "turns (image)")
  APPEND_ONLY("turns",
              "id = NEW.id OR (conversation = NEW.conversation AND number = NEW.number)");

/* clang-format on */
