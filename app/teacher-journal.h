/* teacher-journal.h - the answers that were paid for, one a line, found by what was asked. Private
 * to app's teacher.
 *
 * A file of JSON Lines that only grows: a first line that says what it is, then one line for each
 * end of a question. A line is written at once and whole; one that the end of a run cut off is
 * taken away by the next. Of two lines for one question the later one counts.
 *
 * Thread rule: any thread, once it is open.
 */
#ifndef HILUM_APP_TEACHER_JOURNAL_H
#define HILUM_APP_TEACHER_JOURNAL_H

#include "teacher.h"

G_BEGIN_DECLS

typedef struct _AppJournal AppJournal;

/* One line. Strings are owned where app_journal_find() filled them in. */
typedef struct {
  char key[65];
  AppTeacherOutcome outcome;
  char *text, *why, *model; /* NULL: none */
  gboolean is_cut, is_estimate;
  guint64 tokens_in, tokens_out; /* of all tries */
} AppJournalEntry;
void app_journal_entry_clear(AppJournalEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppJournalEntry, app_journal_entry_clear)

typedef struct {
  guint64 entries, tokens_in, tokens_out;
  guint damaged; /* lines that cannot be read */
  gboolean torn; /* the last line had been cut off */
} AppJournalFacts;

/* ARGUMENT: the file is no journal, or another run has it. */
AppJournal *app_journal_open(const char *path, AppJournalFacts *facts, GError **error);
/* Syncs and closes it. */
void app_journal_free(AppJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppJournal, app_journal_free)

/* FALSE: there is no such line, or it cannot be read any more. */
gboolean app_journal_find(AppJournal *journal, const char key[65], AppJournalEntry *entry);
/* FALSE: it could not be written whole, and the file is as before. */
gboolean app_journal_add(AppJournal *journal, const AppJournalEntry *entry, GError **error);

G_END_DECLS
#endif
