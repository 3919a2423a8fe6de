/* store.h - the conversation log in SQLite.
 *
 * What this room does: keeps images, models, conversations, turns and whatever else happened as one
 * append-only chain of events in an SQLite file of mode 0600 (WAL, foreign keys, synchronous=FULL
 * when a turn is finished), with a versioned schema and migrations; what can name or describe a
 * patient is sealed under a key of the patient's. record.h has the proofs of it, THREATS.md the
 * bytes. What it does not do: read images, run models, know GTK.
 *
 * Thread rule: one StoreLog belongs to one thread at a time. Several processes may write the same
 * file (busy timeout; a turn is one transaction).
 * Errors: GError of domain STORE_ERROR. Messages never hold patient data.
 */
#ifndef HILUM_STORE_H
#define HILUM_STORE_H

#include <glib.h>

G_BEGIN_DECLS

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);
typedef enum {
  STORE_ERROR_FORMAT, /* not a Hilum log */
  STORE_ERROR_CORRUPT,
  STORE_ERROR_NEWER, /* schema of a newer Hilum */
  STORE_ERROR_OLDER, /* schema of an older Hilum, and opened for reading only */
  STORE_ERROR_IO,    /* disk full, no permission */
  STORE_ERROR_BUSY,
  STORE_ERROR_NOT_FOUND,
  STORE_ERROR_INVALID, /* a value that the log does not hold: too long, no SHA-256 */
  STORE_ERROR_CANCELLED,
  STORE_ERROR_LOCKED, /* the key that opens the log's texts is not to be had */
  STORE_ERROR_SEALED, /* the log was sealed, and goes on in another file */
  STORE_ERROR_REFUSED, /* a PIN is wrong, or it is too soon for another (store_person.h) */
} StoreError;

typedef struct _StoreLog StoreLog;

/* ---- the key that opens a log ----------------------------------------------------------------
 *
 * What can name or describe a patient is sealed. All keys lie in LOG.keys beside the log, wrapped
 * by one root key of 32 bytes, which is kept in one of three ways.
 */
typedef enum {
  STORE_PROTECTION_FILE,       /* LOG.key, mode 0600: weak, whoever reads the folder has it */
  STORE_PROTECTION_PASSPHRASE, /* Argon2id */
  STORE_PROTECTION_KEYRING,    /* the Secret Service */
} StoreProtection;

/* How to come by the root key; app fills it in. Each may be NULL: not to be had here. The functions
 * return FALSE (NULL) with *error set, LOCKED where the user refused or nothing is there. */
typedef struct {
  gboolean (*fetch)(const char *log_id, guint8 key[32], gpointer user, GError **error);
  gboolean (*keep)(const char *log_id, const guint8 key[32], gpointer user, GError **error);
  gboolean (*forget)(const char *log_id, gpointer user, GError **error);
  /* A passphrase, AGAIN: a new one, which is asked for twice. The caller wipes and frees it. */
  char *(*ask)(gboolean again, gpointer user, GError **error);
  gpointer user;
} StoreSecrets;

/* $XDG_DATA_HOME/hilum/log.sqlite; g_free(). */
char *store_default_path(void);
/* Opens or makes the log (and its folder, mode 0700). A log that others may read is tightened to
 * the owner's rights; one of an older schema is migrated. READ_ONLY: must exist and be of this
 * schema or of a newer one, as far as what this one reads is there, and neither rows nor modes
 * change (SQLite may leave an empty -wal and a -shm beside it); a log in a folder that cannot be
 * written is read as the unchanging file that it then is. A symbolic link in the place of the file
 * is refused.
 */
StoreLog *store_log_open(const char *path, gboolean read_only, GError **error);
typedef struct {
  gboolean read_only;
  gboolean locked;             /* without any key, for reading only: no text can be read */
  StoreProtection protection;  /* of a log that is made */
  const StoreSecrets *secrets; /* NULL: only what lies in LOG.key can be opened */
} StoreOpen;
/* store_log_open() in full. LOCKED when the key is not to be had. */
StoreLog *store_log_open_with(const char *path, const StoreOpen *how, GError **error);
StoreProtection store_log_protection(StoreLog *log);
/* The version of a log that a newer Hilum wrote, and which *known (may be NULL) versions this one
 * has at most; 0 for any other. */
int store_log_newer(StoreLog *log, int *known);
const char *store_log_id(StoreLog *log); /* 32 hexadecimal digits */
/* Where a log that was sealed goes on, g_free(); NULL: it is not sealed. */
char *store_log_goes_on(StoreLog *log);
/* What LOG.head, which lies outside the log, told against it when it was opened; NULL: nothing. */
const char *store_log_trouble(StoreLog *log);
/* Who signed in at this place besides the system's user, for the events from now on; NULL: nobody.
 */
void store_log_set_person(StoreLog *log, const char *person);
/* What is added from now on was first written at TIME (ISO 8601) in another log: readers give that
 * as its time, and the event's own beside it. NULL: here and now. INVALID when it is no time. */
gboolean store_log_set_first_written(StoreLog *log, const char *time, GError **error);
/* The key that what is computed about pictures and kept beside the log is sealed with; it is made
 * where there is none (READ_ONLY: NOT_FOUND). Erasing it, which goes with each erasure of a
 * patient, makes all that was under it unreadable. */
gboolean store_log_cache_key(StoreLog *log, guint8 key[32], GError **error);
gboolean store_log_erase_cache_key(StoreLog *log, GError **error);
/* Signs how the log stands now and appends that to LOG.head. *note (may be NULL): the signed
 * checkpoint, g_free(). It happens by itself each 256 events and at closing. */
gboolean store_log_checkpoint(StoreLog *log, char **note, GError **error);
void store_log_close(StoreLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreLog, store_log_close)

/* ---- writing: all strings borrowed, NULL means absent --------------------------------------
 *
 * A text may be any UTF-8 of at most 4 MiB; bytes that are no UTF-8 are replaced by U+FFFD (the
 * token ids hold what was said). Each SHA-256 is 64 lower-case hexadecimal digits. Not-a-number is
 * kept. Each call is one transaction: on the disk when it returns, or an error and
 * rolled back. (Where the error is the disk's own, a row may still turn up after a crash: a write
 * whose fsync failed may have arrived.)
 */

typedef struct {
  const char *name, *sha256, *quantization, *path, *template_name;
  const char *engine; /* NULL: in the program; else the server that all was sent to, as a URL */
} StoreModel;

typedef struct {
  const char *study_instance_uid, *series_instance_uid, *patient_id, *patient_name;
  const char *study_date, *study_description, *modality;
  const char *path, *sop_instance_uid, *sop_class, *transfer_syntax;
  guint frame; /* 0-based */
  gboolean has_window;
  double window_center, window_width;
  const char *voi_function;
  gboolean inverted;
  const char *pixels_sha256; /* of the stored pixels */
  const char *sent_sha256;   /* of the very picture (RGB bytes) that the model saw */
  gboolean blank;            /* --blank-image control */
  /* what the image is: terms of the header, and the names of what speaks against asking, with
   * commas between ("" when nothing does, NULL when nobody looked) */
  const char *body_part, *view, *laterality, *warnings;
  /* the part of the picture that was sent (width 0: all of it), turned clockwise by so many right
   * angles, then mirrored left to right */
  guint region_x, region_y, region_width, region_height, turns;
  gboolean flip;
  gboolean has_voi_lut;
  guint voi_lut; /* item of VOILUTSequence */
} StoreImage;

/* A piece of an answer: where it ends, in bytes of the text, and how likely the model held it. */
typedef struct {
  guint end;
  float p;
} StorePiece;

typedef struct {
  const char *question, *answer; /* required */
  const gint32 *prompt_ids;
  gsize n_prompt_ids;
  const gint32 *answer_ids;
  gsize n_answer_ids;
  const char *stop;
  double temperature, top_p;
  guint64 seed;
  guint max_tokens;
  double image_s, prompt_s, first_token_s, answer_s;
  guint prompt_tokens, answer_tokens;
  gint64 image;                 /* id of the image it was asked on: the last that joined; 0: none */
  const gint64 *earlier_images; /* ids of those that joined before it, in order */
  gsize n_earlier_images;
  const StorePiece *pieces; /* of the answer, or NULL */
  gsize n_pieces;
  const char *answer_form; /* "free", "short", "yes-no" */
  /* caption-length-aware prompting, for describe; instruction_rule NULL otherwise */
  const char *instruction_rule, *instruction_list, *instruction_text;
  guint instruction_words, instruction_threshold;
} StoreTurn;

/* Each returns the row's id, or 0 with *error set. Equal models and images are found again. */
gint64 store_log_add_model(StoreLog *log, const StoreModel *model, GError **error);
gint64 store_log_add_image(StoreLog *log, const StoreImage *image, GError **error);
/* REWOUND_FROM: conversation that this one branches off, or 0; after its turn REWOUND_TURN (0:
 * before the first), which must be there. */
gint64 store_log_add_conversation(StoreLog *log, gint64 model, const char *program_version,
                                  gint64 rewound_from, guint rewound_turn, GError **error);
/* One transaction, durable when it returns. Turn numbers count up from 1. */
gint64 store_log_add_turn(StoreLog *log, gint64 conversation, const StoreTurn *turn,
                          GError **error);

typedef struct {
  const char *verdict; /* "accepted", "edited", "rejected" */
  const char *text;    /* of "edited", and of no other */
  const char *user_name, *real_name;
  const char *person; /* who had signed in to judge, or NULL */
} StoreVerdict;
gint64 store_log_add_verdict(StoreLog *log, gint64 turn, const StoreVerdict *verdict,
                             GError **error);

typedef struct {
  const char *answer;
  guint64 seed;
  gboolean blank; /* asked on a blank picture */
} StoreCheckAnswer;
typedef struct {
  const char *kind; /* "blank", "seeds" */
  gboolean same;
  double agreement;
  const StoreCheckAnswer *answers;
  gsize n_answers;
} StoreCheck;
gint64 store_log_add_check(StoreLog *log, gint64 turn, const StoreCheck *check, GError **error);

/* ---- events ---------------------------------------------------------------------------------
 *
 * Every row of the log is an event; those above are of the kinds "model", "image", "conversation",
 * "turn", "verdict" and "check". The others are written by their own name: "application" (start,
 * stop), "import", "shown", "export", "viewed", "setting", "refused", "verification", "consent",
 * "erased", "session" (a second person signs in or out: store_person.h), "migrated", "sealed", "continued".
 */
typedef struct {
  const char *name, *text; /* a member of the event's JSON */
} StoreField;
typedef struct {
  const char *kind;
  const char *action;       /* "start", "stop", "csv" ...: what of its kind; may be NULL */
  gboolean failed;          /* the outcome */
  const StoreField *fields; /* what names nobody: readable to all who read the log */
  gsize n_fields;
  const StoreImage *about;  /* whose key seals what follows; NULL: a key for what is of nobody */
  const StoreField *sealed; /* what may name or describe a patient (a path, say), besides ABOUT */
  gsize n_sealed;
} StoreEvent;
/* Its number, or 0. */
gint64 store_log_add_event(StoreLog *log, const StoreEvent *event, GError **error);

/* An event as it is read: strings borrowed until the callback returns. */
typedef struct {
  gint64 number; /* from 1, without gaps */
  const char *time, *kind;
  const char *action; /* NULL: none */
  gboolean failed;
  const char *user_name, *real_name; /* who did it, as the system knows the person */
  const char *person;                /* who had signed in, or NULL */
  const char *body;                  /* one JSON object: what is readable to all */
  const char *text; /* one JSON object: what was sealed; NULL: nothing was, or it cannot be read */
  gint64 subject;   /* under whose key, 0: nothing is sealed */
  gboolean erased;  /* the key is gone */
  gint64 conversation, turn; /* ids that it belongs to, or 0 */
  const char *sha256;        /* of the row, which covers all rows before it */
} StoreEventRow;
/* FALSE with *error set ends the reading. */
typedef gboolean (*StoreEventFunc)(const StoreEventRow *event, gpointer user, GError **error);
/* Events FIRST to LAST (0: to the end) in order, one at a time: memory does not grow. FUNC may read
 * all else in the log, but not its events. */
gboolean store_log_each_event(StoreLog *log, gint64 first, gint64 last, StoreEventFunc func,
                              gpointer user, GError **error);
/* Whether an event of this KIND and BODY (JSON, as it is) is to be opened. */
typedef gboolean (*StoreEventGate)(const char *kind, const char *body, gpointer user);
/* The same for those that GATE (NULL: all) lets through; the others are passed over unopened. */
gboolean store_log_each_event_of(StoreLog *log, StoreEventGate gate, gint64 first, gint64 last,
                                 StoreEventFunc func, gpointer user, GError **error);

/* The last one. */
gboolean store_log_last_event(StoreLog *log, StoreEventFunc func, gpointer user, GError **error);

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct {
  gint64 id;
  char *started;  /* ISO 8601, UTC */
  char *imported; /* when it came into this log from another; NULL: it began here */
  char *model_name, *model_sha256, *model_engine, *modality, *image_path, *first_question;
  guint n_turns;
  char *program_version;
  gint64 rewound_from; /* 0: none */
  guint rewound_turn;
  char *snippet;   /* of store_log_search(): around what was found; else NULL */
  gboolean erased; /* the key of its first turn is gone: no question, no path */
  gboolean lost;   /* its first turn is, with a damaged log */
} StoreConversation;
void store_conversation_free(StoreConversation *conversation);
/* Newest first, at most LIMIT (0: all). Modality and path are those of the first turn's image. */
GPtrArray *store_log_list(StoreLog *log, guint limit, GError **error);
/* The conversation ID; NULL with NOT_FOUND. */
StoreConversation *store_log_get(StoreLog *log, gint64 id, GError **error);

/* Everything of one turn, owned (the borrowed structs' strings point into it). */
typedef struct {
  gint64 id;
  guint number;
  char *time;
  char *imported; /* when it came into this log from another; NULL: it was written here */
  StoreTurn turn;
  StoreImage image;    /* zeroes when the turn had none */
  StoreImage *earlier; /* turn.n_earlier_images of them */
  StoreModel model;
  gboolean erased;       /* the key of its texts is gone: question and answer are "" */
  gboolean lost;         /* so are they, with a damaged log */
  const char *recovered; /* out of a damaged log: how much of it was proved then ("signed",
                            "chained", "own", "none"); NULL: it was not */
  GStringChunk *strings; /* private */
} StoreTurnRow;
void store_turn_row_free(StoreTurnRow *row);
/* All turns of a conversation, in order; NULL with NOT_FOUND. */
GPtrArray *store_log_show(StoreLog *log, gint64 conversation, GError **error);

/* Conversations whose questions, answers or edited texts hold, taken together, each word of QUERY
 * (or one that begins so), whatever their case and accents; newest first, at most LIMIT (0: all),
 * of StoreConversation. A QUERY of blanks finds all, one without a letter or digit nothing. */
GPtrArray *store_log_search(StoreLog *log, const char *query, guint limit, GError **error);

typedef struct {
  gint64 id;
  char *time;
  StoreVerdict verdict; /* its strings are owned */
} StoreVerdictRow;
void store_verdict_row_free(StoreVerdictRow *row);
/* All verdicts on a turn, oldest first: the last one counts. */
GPtrArray *store_log_verdicts(StoreLog *log, gint64 turn, GError **error);

typedef struct {
  gint64 id;
  char *time;
  StoreCheck check; /* its strings are owned */
  GArray *answers;  /* of StoreCheckAnswer: check.answers */
} StoreCheckRow;
void store_check_row_free(StoreCheckRow *row);
/* All checks of a turn, oldest first. */
GPtrArray *store_log_checks(StoreLog *log, gint64 turn, GError **error);

G_END_DECLS
#endif
