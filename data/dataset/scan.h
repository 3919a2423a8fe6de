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

/* "a number", "an object", ...: what VALUE is, for messages. Static. */
const char *data_value_what(const DataValue *value);

/* The elements of an array in a line that data_scan() has found good, one a call, from *AT = 0 on;
 * FALSE behind the last one, and for what is no array. */
gboolean data_array_next(const DataValue *array, gsize *at, DataValue *element);
/* The same of an object's members. */
gboolean data_object_next(const DataValue *object, gsize *at, DataValue *name, DataValue *value);
/* Whether VALUE is the string TEXT, which needs no escapes. */
gboolean data_value_is(const DataValue *value, const char *text);

#endif
