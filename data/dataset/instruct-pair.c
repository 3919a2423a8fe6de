/* instruct-pair.c - one line of JSON as a pair: LLaVA-Med's figures, and LLaVA's pictures with
 * several captions and boxes. */
#include "instruct.h"

#include <string.h>

#include "dataset/domain.h"
#include "dataset/instruct-turns.h"
#include "dataset/scan.h"

/* More than any picture has: what a teacher is told has an end. */
#define MOST_BOXES 256u
#define MOST_TEXTS 64u
/* Bytes of captions, and of mentions. Longer captions are none; of the mentions come as many as
 * fit. */
#define MOST_TEXT (32u << 10)

enum {
  PAIR_ID,
  ID,
  FIG_CAPTION,
  CAPTION,
  CAPTIONS,
  FIG_LABEL,
  MENTION,
  IMAGE,
  DOMAIN,
  MODALITY,
  INSTANCES,
  BOXES,
  N_MEMBERS
};
static const char *const members[] = {
    "pair_id", "id",     "fig_caption", "caption",   "captions", "fig_label", "in_text_mention",
    "image",   "domain", "modality",    "instances", "boxes",    NULL};

void
data_pair_clear(DataPair *pair)
{
  g_clear_pointer(&pair->id, g_free);
  g_clear_pointer(&pair->image, g_free);
  g_clear_pointer(&pair->label, g_free);
  g_clear_pointer(&pair->captions, g_ptr_array_unref);
  g_clear_pointer(&pair->mentions, g_ptr_array_unref);
  g_clear_pointer(&pair->boxes, g_array_unref);
}

typedef struct {
  DataDropped *reason;
  char **problem;
} Why;

static gboolean
drop(const Why *why, DataDropped reason)
{
  *why->reason = reason;
  return FALSE;
}

static gboolean G_GNUC_PRINTF(2, 3) malformed(const Why *why, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  *why->problem = g_strdup_vprintf(format, args);
  va_end(args);
  return drop(why, DATA_DROPPED_MALFORMED);
}

/* ---- values -------------------------------------------------------------------------------- */

/* Without white space at its ends; "" is none. g_free(). */
static char *
text_of(const DataValue *value)
{
  g_autoptr(GString) text = g_string_new(NULL);
  char *stripped;

  if (value->kind != DATA_VALUE_STRING) {
    return NULL;
  }
  data_value_decode(value, text);
  stripped = data_text_strip(text->str, text->len);
  if (!*stripped) {
    g_clear_pointer(&stripped, g_free);
  }
  return stripped;
}

/* A text, or nothing; else the line is malformed. */
static gboolean
get_text(const Why *why, const DataValue *values, guint which, char **text)
{
  if (values[which].kind == DATA_VALUE_OTHER) {
    return malformed(why, "%s: found %s, expected a string", members[which],
                     data_value_what(&values[which]));
  }
  *text = text_of(&values[which]);
  return TRUE;
}

static gboolean
is_array(const DataValue *value)
{
  return value->kind == DATA_VALUE_OTHER && *value->text == '[';
}

/* {"tokens": ["a", "b"], ...}: a sentence that was taken apart. */
static char *
join_tokens(const DataValue *object)
{
  static const char *const names[] = {"tokens", NULL};
  g_autoptr(GString) text = g_string_new(NULL);
  DataValue tokens[1], token;
  const char *ignored;
  gsize at;

  if (*object->text != '{' || !data_scan(object->text, object->n, names, tokens, &ignored, &at)) {
    return NULL;
  }
  at = 0;
  while (is_array(&tokens[0]) && data_array_next(&tokens[0], &at, &token)) {
    if (token.kind == DATA_VALUE_STRING) {
      g_string_append(text, text->len > 0 ? " " : "");
      data_value_decode(&token, text);
    }
  }
  return text->len > 0 ? data_text_strip(text->str, text->len) : NULL;
}

/* Takes TEXT; NULL is nothing. FALSE: there is no room. */
static gboolean
add_text(GPtrArray *texts, char *text, gsize *room)
{
  const gsize n = text ? strlen(text) : 0;
  const gboolean fits = n <= *room && texts->len < MOST_TEXTS;

  if (n == 0 || !fits) {
    g_free(text);
    return fits;
  }
  *room -= n;
  g_ptr_array_add(texts, text);
  return TRUE;
}

static gboolean
too_long(const Why *why, guint which)
{
  return which == MENTION || malformed(why, "%s: more than %u texts, or %u bytes", members[which],
                                       MOST_TEXTS, MOST_TEXT);
}

/* A text, an array of texts (and of what was taken apart), or nothing. */
static gboolean
get_texts(const Why *why, const DataValue *values, guint which, GPtrArray *texts)
{
  const DataValue *value = &values[which];
  gsize at = 0, room = MOST_TEXT;
  DataValue element;

  if (value->kind == DATA_VALUE_OTHER && !is_array(value)) {
    return malformed(why, "%s: found %s, expected an array of strings", members[which],
                     data_value_what(value));
  }
  if (!is_array(value)) {
    return add_text(texts, text_of(value), &room) || too_long(why, which);
  }
  while (data_array_next(value, &at, &element)) {
    if (element.kind == DATA_VALUE_OTHER && *element.text != '{') {
      return malformed(why, "%s: found %s in it, expected strings", members[which],
                       data_value_what(&element));
    }
    if (!add_text(texts,
                  element.kind == DATA_VALUE_OTHER ? join_tokens(&element) : text_of(&element),
                  &room)) {
      return too_long(why, which);
    }
  }
  return TRUE;
}

/* ---- boxes --------------------------------------------------------------------------------- */

static gboolean
get_corners(const DataValue *array, DataBox *box)
{
  double corners[4];
  DataValue number;
  gsize at = 0;
  guint n = 0;

  while (is_array(array) && data_array_next(array, &at, &number)) {
    g_autofree char *text = g_strndup(number.text, number.n);
    if (n == 4 || number.kind != DATA_VALUE_OTHER || !(g_ascii_isdigit(*text) || *text == '-')) {
      return FALSE;
    }
    corners[n++] = g_ascii_strtod(text, NULL);
  }
  *box = (DataBox){box->category, corners[0], corners[1], corners[2], corners[3]};
  return n == 4 && box->x1 >= 0 && box->x1 <= box->x2 && box->x2 <= 1 && box->y1 >= 0 &&
         box->y1 <= box->y2 && box->y2 <= 1;
}

static gboolean
get_boxes(const Why *why, const DataValue *values, guint which, GArray *boxes)
{
  static const char *const names[] = {"category", "label", "bbox", "box", NULL};
  const DataValue *value = &values[which];
  DataValue element, parts[4];
  const char *ignored;
  gsize at = 0, place;

  if (value->kind == DATA_VALUE_STRING || (value->kind == DATA_VALUE_OTHER && !is_array(value))) {
    return malformed(why, "%s: found %s, expected an array of boxes", members[which],
                     data_value_what(value));
  }
  while (is_array(value) && data_array_next(value, &at, &element) && boxes->len < MOST_BOXES) {
    DataBox box = {0};

    if (element.kind == DATA_VALUE_OTHER && *element.text == '{' &&
        data_scan(element.text, element.n, names, parts, &ignored, &place)) {
      box.category = text_of(parts[0].kind == DATA_VALUE_STRING ? &parts[0] : &parts[1]);
    }
    if (!box.category || !get_corners(is_array(&parts[2]) ? &parts[2] : &parts[3], &box)) {
      g_free(box.category);
      return malformed(why,
                       "%s: box %u is none; expected a category and [x1, y1, x2, y2] in parts of "
                       "the picture, 0 to 1",
                       members[which], boxes->len + 1);
    }
    g_array_append_val(boxes, box);
  }
  return TRUE;
}

static void
box_clear(gpointer box)
{
  g_free(((DataBox *)box)->category);
}

/* ---- the line ------------------------------------------------------------------------------ */

static guint
first_there(const DataValue *values, guint first, guint second)
{
  return values[first].kind == DATA_VALUE_STRING || values[first].kind == DATA_VALUE_OTHER ? first
                                                                                           : second;
}

static gboolean
read_texts(const Why *why, const DataValue *values, DataPair *pair)
{
  const guint caption = first_there(values, FIG_CAPTION, CAPTION);

  if (values[caption].kind == DATA_VALUE_OTHER) {
    return malformed(why, "%s: found %s, expected a string", members[caption],
                     data_value_what(&values[caption]));
  }
  return get_texts(why, values, caption, pair->captions) &&
         get_texts(why, values, CAPTIONS, pair->captions) &&
         get_text(why, values, FIG_LABEL, &pair->label) &&
         get_texts(why, values, MENTION, pair->mentions) &&
         get_boxes(why, values, first_there(values, INSTANCES, BOXES), pair->boxes);
}

gboolean
data_instruct_read(const DataInstruct *instruct, const char *line, gsize n, DataPair *pair,
                   DataDropped *reason, char **problem)
{
  const Why why = {reason, problem};
  DataValue values[N_MEMBERS];
  const char *what;
  gsize at;

  *pair = (DataPair){.captions = g_ptr_array_new_with_free_func(g_free),
                     .mentions = g_ptr_array_new_with_free_func(g_free),
                     .boxes = g_array_new(FALSE, FALSE, sizeof(DataBox))};
  g_array_set_clear_func(pair->boxes, box_clear);
  *problem = NULL;
  if (n > DATA_MOST_LINE_BYTES) {
    return malformed(&why, "%" G_GSIZE_FORMAT " bytes, more than any pair has", n);
  }
  if (!data_scan(line, n, members, values, &what, &at)) {
    return malformed(&why, "%s, at byte %" G_GSIZE_FORMAT, what, at + 1);
  }
  if (!get_text(&why, values, first_there(values, PAIR_ID, ID), &pair->id) ||
      !get_text(&why, values, IMAGE, &pair->image) || !read_texts(&why, values, pair)) {
    return FALSE;
  }
  if (!pair->id) {
    return drop(&why, DATA_DROPPED_NO_ID);
  }
  if (pair->captions->len == 0) {
    return drop(&why, DATA_DROPPED_NO_CAPTION);
  }
  pair->domain =
      data_domain_of(&values[values[DOMAIN].kind == DATA_VALUE_ABSENT ? MODALITY : DOMAIN]);
  pair->image = pair->image ? pair->image : g_strconcat(pair->id, ".jpg", NULL);
  return !instruct->has_image || instruct->has_image(pair->image, instruct->user) ||
         drop(&why, DATA_DROPPED_NO_IMAGE);
}
