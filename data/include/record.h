/* record.h - what makes the conversation log a record: proofs, erasure, keys, copies.
 *
 * Thread rule and errors: as in store.h. What each design detects and what it does not is in
 * data/THREATS.md.
 */
#ifndef HILUM_RECORD_H
#define HILUM_RECORD_H

#include "store.h"

G_BEGIN_DECLS

/* ---- verification ---------------------------------------------------------------------------- */

typedef struct {
  gboolean whole; /* nothing was found against it */
  char *found;    /* the first thing that was, in words; NULL: nothing */
  gint64 first;   /* the first event that is not as it should be, 0: none, or none can be named */
  char *log_id;
  gint64 events;        /* that were looked at */
  char *root;           /* over them: 64 hexadecimal digits */
  guint checkpoints;    /* of LOG.head, all of which fit */
  gint64 signed_events; /* how many the last of them covers: what came after it is not signed yet */
  char *signed_at;      /* when, or NULL */
  guint kept;           /* checkpoints that were kept elsewhere, all of which fit */
  gboolean cut;         /* a checkpoint in LOG.head was cut short (a crash while it was written) */
  gint64 clock_back;    /* events whose time is before that of the event before them */
  gint64 clock_back_first;
  int newer; /* the version of a log that a newer Hilum wrote, of which what this one knows was
                looked at; else 0 */
} StoreReport;
void store_report_free(StoreReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreReport, store_report_free)

/* FALSE cancels. */
typedef gboolean (*StoreProgress)(gint64 done, gint64 total, gpointer user);

/* What was kept elsewhere, out of the reach of whoever can write the log's folder. */
typedef struct {
  const char *public_key;  /* a file with what LOG.pub held; NULL: LOG.pub beside the log */
  const char *checkpoints; /* the text of one or more, as LOG.head has them; NULL: none */
} StoreKept;

/* Looks at every event (order, hash, chain), the blocks and derived tables, and holds each
 * checkpoint of LOG.head, and of KEPT (may be NULL), against them. What is found is in the report;
 * NULL only when the log cannot be looked at (IO, CANCELLED, no public key, or KEPT holds no
 * checkpoint of this log). The log may be open for reading only, or locked. */
StoreReport *store_log_verify(StoreLog *log, const StoreKept *kept, StoreProgress progress,
                              gpointer user, GError **error);

/* Threads, of which this room starts none: RUN calls WORK with each of the N ITEMS, all at once
 * where it can, the first on the thread that called it, and returns when all have returned. */
typedef void (*StoreWork)(gpointer item);
typedef struct {
  guint n;
  void (*run)(StoreWork work, gpointer *items, guint n, gpointer user);
  gpointer user;
  gint64 events; /* that one of them takes at a time, a multiple of 1024; 0: as is best */
} StoreHands;

/* The same, by HANDS (may be NULL). PROGRESS is called on the caller's thread. */
StoreReport *store_log_verify_with(StoreLog *log, const StoreKept *kept, const StoreHands *hands,
                                   StoreProgress progress, gpointer user, GError **error);

/* ---- proofs ---------------------------------------------------------------------------------- */

/* One JSON object that shows CONVERSATION to others: its events as they are hashed, the way from
 * each to the root of the last checkpoint (a new one when that does not cover them), and the keys
 * of these events alone, so that their texts can be read. g_free(). */
char *store_log_prove(StoreLog *log, gint64 conversation, GError **error);
/* What is proved by TEXT (N bytes), which is such an object: each event is given to FUNC.
 * PUBLIC_KEY is what LOG.pub holds. CORRUPT when it is no proof under this key. */
gboolean store_check_proof(const char *text, gsize n, const char *public_key, StoreEventFunc func,
                           gpointer user, GError **error);

/* ---- erasure --------------------------------------------------------------------------------- */

/* Erases the key of every patient (or what stands for one) that CONVERSATION has texts about: these
 * and all other texts about the same patient can never be read again, here or in this log's proofs,
 * and the index of words is made anew. REASON is kept. *subjects (may be NULL): how many. */
gboolean store_log_erase(StoreLog *log, gint64 conversation, const char *reason, guint *subjects,
                         const StoreSecrets *secrets, GError **error);
/* The same, and of the logs that LOG goes on from: whoever CONVERSATION is about is looked for in
 * each of them by what the texts say, and that log's key is erased first, so that what was cut
 * short can be done again. Events of LOG tell of all. NOT_FOUND, and nothing was erased, when a log
 * that it goes on from cannot be reached. store_log_erase() is this without anything particular. */
typedef struct {
  const char *reason;
  const char *of;         /* name of the sealed log that CONVERSATION is of; NULL: LOG */
  gboolean leave_missing; /* what cannot be reached is left as it is, and said to be */
} StoreErasure;
typedef struct {
  guint subjects, files; /* keys that were erased, in so many logs */
  char *left;            /* logs that were not reached; NULL: none */
  guint retention_years; /* the duty that holds for the log ... */
  char *kept_until;      /* ... and had not ended for these texts: until when; NULL: it had */
} StoreErased;
void store_erased_clear(StoreErased *erased);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreErased, store_erased_clear)
gboolean store_log_erase_all(StoreLog *log, gint64 conversation, const StoreErasure *what,
                             const StoreSecrets *secrets, StoreErased *erased, GError **error);
/* The root key moves, and those of the logs that LOG goes on from; an event tells of it. Somebody
 * who is asked for a passphrase is asked once. */
gboolean store_log_protect(StoreLog *log, StoreProtection protection, const StoreSecrets *secrets,
                           GError **error);

/* ---- one log after another ------------------------------------------------------------------ */

typedef enum {
  STORE_LINK_THERE,      /* as far as it was looked at, as it was sealed */
  STORE_LINK_MISSING,    /* there is no such file */
  STORE_LINK_OTHER,      /* there is one, and it is not as it was sealed */
  STORE_LINK_UNREADABLE, /* there is one, and it cannot be opened */
  STORE_LINK_RETIRED,    /* it was removed when its time was over, and an event says so */
} StoreLinkState;

/* A sealed log that another one goes on from: what that one says of it, and what is found. */
typedef struct {
  char *file, *path; /* its name, and where it is or was */
  guint number;      /* 1: the first of all */
  char *log_id;
  gint64 events;    /* the last of them says that it was sealed */
  char *root;       /* over them */
  char *public_key; /* what LOG.pub held */
  char *checkpoint; /* the last, a signed note */
  char *begun;      /* time of its first event; NULL where it cannot be opened */
  char *sealed_at;  /* of its last */
  gint64 bytes;     /* with what belongs to it */
  StoreLinkState state;
  char *found;         /* what speaks against it; NULL: nothing */
  StoreReport *report; /* store_log_verify_links() */
} StoreLink;
void store_link_free(StoreLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreLink, store_link_free)

/* Seals the log at PATH and begins another in its place, with keys of its own that are protected in
 * the same way. What was sealed lies beside it as NAME-0001.EXT, with all that belongs to it, for
 * reading only, and is what comes back. BUSY while another program has the log open. A crash leaves
 * the old log or both: what was cut short is finished at the next opening for writing. */
StoreLink *store_log_rotate(const char *path, const StoreOpen *how, GError **error);
/* The sealed logs that LOG goes on from, one from the other, newest first; of StoreLink. It ends
 * where a file is missing. */
GPtrArray *store_log_links(StoreLog *log, GError **error);
/* Verifies each of them as store_log_verify() does, and holds it against what the log that goes on
 * from it says. PROGRESS begins anew with each. */
gboolean store_log_verify_links(GPtrArray *links, const StoreHands *hands, StoreProgress progress,
                                gpointer user, GError **error);

/* ---- how long it is kept --------------------------------------------------------------------- */

/* For how many years what was sealed is kept; *set (may be NULL): whether somebody said so. Else it
 * is STORE_RETENTION_YEARS, the longest duty that is a number: 45 CFR 164.316(b)(2)(i) (HIPAA). */
#define STORE_RETENTION_YEARS 6u
#define STORE_RETENTION_MOST 200u
gboolean store_log_retention(StoreLog *log, guint *years, gboolean *set, GError **error);
/* An event; INVALID unless it is 1 to STORE_RETENTION_MOST. */
gboolean store_log_set_retention(StoreLog *log, guint years, GError **error);
/* When the duty to keep what was written at TIME ends (ISO 8601, UTC), g_free(). *ended (may be
 * NULL): whether it has, by this machine's clock. NULL: TIME is none. */
char *store_log_kept_until(StoreLog *log, const char *time, guint years, gboolean *ended);
/* Removes the sealed log FILE, which LOG goes on from: its keys are destroyed, then its files; an
 * event that is written before says what it was. INVALID while the duty to keep it has not ended,
 * while one before it is there, or when it is not as it was sealed. What was cut short can be done
 * again. */
gboolean store_log_retire(StoreLog *log, const char *file, const char *reason,
                          const StoreSecrets *secrets, GError **error);

/* ---- copies ---------------------------------------------------------------------------------- */

/* Copies the log, its keys, checkpoints and public key into FOLDER, which must not be there, while
 * others go on writing; an event tells of it. The copy was verified, and is on the disk, before
 * FOLDER has its name. WITH_KEY: LOG.key, too, and then the copy is as secret as the texts; INVALID
 * when there is none. PROGRESS in pages. What the copy proves. */
StoreReport *store_log_backup(StoreLog *log, const char *folder, gboolean with_key,
                              StoreProgress progress, gpointer user, GError **error);
/* Sets the copy in FOLDER at PATH, where nothing of a log may be, once it is verified. *with_key
 * (may be NULL): LOG.key was in it. */
StoreReport *store_restore(const char *folder, const char *path, gboolean *with_key,
                           GError **error);

/* ---- recovery -------------------------------------------------------------------------------- */

/* What became of a damaged log. */
typedef struct {
  gboolean needed; /* FALSE: nothing spoke against the log, and nothing was done */
  char *found;     /* what did, in words */
  char *set_aside; /* the path of the damaged log, with all that belongs to it */
  char *log_id, *previous_log_id;
  char *lost; /* the numbers of lost events, or the beginning of the list */
  gint64 events_read, events_recovered;
  gint64 events_lost;       /* that there were, and of which nothing is left */
  gint64 events_unreadable; /* of which something is left that says nothing */
  gint64 events_unproved;   /* recovered, though changed, or no longer in a place that is proved */
  gint64 texts_lost, texts_erased;
  gint64 placeholders; /* rows that stand for lost ones */
  gint64 conversations, turns;
  gint64 last_proved_event; /* the first so many were as they had been signed */
} StoreRecovery;
void store_recovery_free(StoreRecovery *recovery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreRecovery, store_recovery_free)

/* Where the log at PATH is damaged (its file, its events, its tables, its checkpoints), all its
 * files are set aside under a dated name beside it, and a new log with another id is made in its
 * place: each event that can be read is an event of it, with its ids, its time and its actor, and
 * says what number it had and how much of it was proved. Erased texts stay erased. Nothing of the
 * damaged files is written to. LOCKED without the key; BUSY while a program has the log open; with
 * an error the log is as it was. NEWER: that Hilum recovers it. OLDER: from before version 5, which
 * is brought up to date by being opened. */
StoreRecovery *store_recover(const char *path, const StoreSecrets *secrets, StoreProgress progress,
                             gpointer user, GError **error);

G_END_DECLS
#endif
