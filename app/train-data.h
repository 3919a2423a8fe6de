/* train-data.h - data sets in LLaVA's format, read record by record. Private to app. */
#ifndef HILUM_APP_TRAIN_DATA_H
#define HILUM_APP_TRAIN_DATA_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _AppTrainData AppTrainData;

/* One record. TURNS: question, answer, ... without the picture's mark. */
typedef struct {
  GPtrArray *turns; /* of char * */
  char *image;      /* as the file names it; NULL: text alone */
} AppTrainRecord;
void app_train_record_free(AppTrainRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTrainRecord, app_train_record_free)

/* Maps the file and finds its records, without understanding them yet. */
AppTrainData *app_train_data_open(const char *path, GError **error);
void app_train_data_free(AppTrainData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTrainData, app_train_data_free)
guint64 app_train_data_count(const AppTrainData *data);
/* The JSON of one record, LENGTH bytes of it. Borrowed. Any thread, this and the next. */
const char *app_train_data_text(const AppTrainData *data, guint64 index, gsize *length);
AppTrainRecord *app_train_data_read(const AppTrainData *data, guint64 index, GError **error);

G_END_DECLS
#endif
