/* numbers.h - lists of numbers in an event's sealed text. Private to the room.
 *
 * Ids and probabilities are most of a turn. They do not stand in the JSON object but behind it:
 * what is sealed is the object, and where it has such lists one byte 0 and then their numbers,
 * little-endian, one list behind the other. In the object stands where: {"i16": COUNT, "at": BYTE}
 * for signed numbers of 16 bits, "i32" for those of 32, "f32" for IEEE 754 single precision; BYTE
 * counts from behind the 0. i16 is taken where all numbers fit. Events from before this was so
 * have them as JSON lists, which are read for ever.
 */
#ifndef HILUM_DATA_LOG_NUMBERS_H
#define HILUM_DATA_LOG_NUMBERS_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum { STORE_I16, STORE_I32, STORE_F32, STORE_N_WIDTHS } StoreWidth;

const char *store_numbers_name(StoreWidth width);
gsize store_numbers_bytes(StoreWidth width); /* of one number */
/* The narrowest that holds all N. */
StoreWidth store_numbers_width(const gint32 *numbers, gsize n);
void store_numbers_append(GByteArray *to, StoreWidth width, const gint32 *numbers, gsize n);
void store_numbers_append_reals(GByteArray *to, const float *numbers, gsize n);
/* FROM has N numbers of WIDTH, which is no F32; g_free(). */
gint32 *store_numbers_take(const guint8 *from, StoreWidth width, gsize n);
float *store_numbers_take_reals(const guint8 *from, gsize n);

G_END_DECLS
#endif
