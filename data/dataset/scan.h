/* scan.h - the members of a line's JSON object, found without making a tree of it. Private to
 * data/dataset. */
#ifndef HILUM_DATA_DATASET_SCAN_H
#define HILUM_DATA_DATASET_SCAN_H

#include <glib.h>

typedef enum {
  DATA_VALUE_ABSENT,
  DATA_VALUE_STRING, /* TEXT is between the quotes, escapes as they are */
  DATA_VALUE_NULL,
  DATA_VALUE_OTHER, /* TEXT is the whole value */
} DataValueKind;

typedef struct {
  DataValueKind kind;
  gboolean has_escapes;
  const char *text; /* in the line */
  gsize n;
} DataValue;

/* Fills VALUES with the members NAMES (ends with NULL) of the one object that LINE (N bytes) holds.
 * Of a name that comes twice the last one counts. All of the line is checked against RFC 8259, to a
 * depth of 64, and as UTF-8. FALSE: *WHY (static) says what is wrong, *AT where, in bytes. */
gboolean data_scan(const char *line, gsize n, const char *const *names, DataValue *values,
                   const char **why, gsize *at);

/* The text of a string value with its escapes resolved, appended to OUT. Lone surrogates become
 * U+FFFD, and so do zero bytes. */
void data_value_decode(const DataValue *value, GString *out);

#endif
