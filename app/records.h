/* records.h - the records of a file from elsewhere, one by one, whatever it looks like: a JSON
 * array, lines of JSON, an object of objects, or lines of text. Not for others. */
#ifndef HILUM_APP_RECORDS_H
#define HILUM_APP_RECORDS_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  const char *text; /* N bytes: JSON of one object, or a line, perhaps of nonsense. Borrowed */
  gsize n;
  guint64 line;     /* where it begins, from 1 */
  char *key;        /* in an object of objects; else NULL. Borrowed until the next */
  gboolean is_rest; /* no record begins here: what follows is lost, and this is the last */
} AppRecord;

typedef struct _AppRecords AppRecords;

/* MEMBERS: the file is one object, whose members are the records. */
AppRecords *app_records_open(const char *path, gboolean members, GError **error);
void app_records_free(AppRecords *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppRecords, app_records_free)
gboolean app_records_next(AppRecords *records, AppRecord *record);
/* SHA-256 of the file, in hexadecimal digits; g_free(). */
char *app_records_sha256(const AppRecords *records);

G_END_DECLS
#endif
