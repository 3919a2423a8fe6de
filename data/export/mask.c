/* mask.c - what of a turn may leave the log. All rules are here; the writers write what they get.
 */
#include "store_export.h"

#include <string.h>

struct _StoreMasked {
  StoreExportTurn turn;
  StoreConversation conversation;
  StoreTurnRow row;
  GPtrArray *verdicts, *checks;
  GStringChunk *strings;
};

enum { ID_DIGITS = 32 };

/* Who holds no key gets nothing rather than what can be guessed. */
static char *
keyed(const StoreMask *mask, const char *value)
{
  g_autofree char *hash = mask->pseudonym ? mask->pseudonym(value, mask->user) : NULL;

  return hash && strlen(hash) >= ID_DIGITS ? g_strndup(hash, ID_DIGITS) : NULL;
}

char *
store_mask_id(const StoreMask *mask, const char *id)
{
  if (!id || !*id || mask->patient == STORE_PATIENT_NONE) {
    return NULL;
  }
  return mask->patient == STORE_PATIENT_FULL ? g_strdup(id) : keyed(mask, id);
}

/* The UUID form of PS3.5 B.2: a decimal number of 128 bits, which says of itself that it is random
 * (RFC 4122, version 4). */
static char *
uid_of(const char *digits)
{
  unsigned __int128 value = 0;
  char text[40];
  guint at = sizeof text;

  for (guint i = 0; i < ID_DIGITS; i++) {
    value = value << 4 | (guint)g_ascii_xdigit_value(digits[i]);
  }
  value &= ~((unsigned __int128)0xf << 76 | (unsigned __int128)0x3 << 62);
  value |= (unsigned __int128)0x4 << 76 | (unsigned __int128)0x2 << 62;
  for (; value > 0; value /= 10) {
    text[--at] = (char)('0' + (int)(value % 10));
  }
  return g_strdup_printf("2.25.%.*s", (int)(sizeof text - at), text + at);
}

char *
store_mask_uid(const StoreMask *mask, const char *uid)
{
  g_autofree char *id = store_mask_id(mask, uid);

  if (!id || mask->patient == STORE_PATIENT_FULL) {
    return g_steal_pointer(&id);
  }
  return uid_of(id);
}

static void
mask_uid(StoreMasked *to, const StoreMask *mask, const char **uid)
{
  g_autofree char *masked = store_mask_uid(mask, *uid);

  *uid = masked ? g_string_chunk_insert_const(to->strings, masked) : NULL;
}

static void
mask_image(StoreMasked *to, const StoreMask *mask, StoreImage *image)
{
  if (mask->patient == STORE_PATIENT_FULL) {
    return;
  }
  g_autofree char *id = store_mask_id(mask, image->patient_id);
  image->patient_id = id ? g_string_chunk_insert_const(to->strings, id) : NULL;
  mask_uid(to, mask, &image->study_instance_uid);
  mask_uid(to, mask, &image->series_instance_uid);
  mask_uid(to, mask, &image->sop_instance_uid);
  image->patient_name = NULL;
  image->study_date = NULL;
  image->study_description = NULL;
  image->path = NULL;
  if (mask->patient == STORE_PATIENT_NONE) {
    /* Whoever has the images finds them again by these. */
    image->pixels_sha256 = NULL;
    image->sent_sha256 = NULL;
  }
}

static void
mask_turn_text(StoreTurn *turn)
{
  turn->question = NULL;
  turn->answer = NULL;
  turn->prompt_ids = NULL;
  turn->n_prompt_ids = 0;
  turn->answer_ids = NULL;
  turn->n_answer_ids = 0;
  turn->pieces = NULL;
  turn->n_pieces = 0;
  turn->instruction_text = NULL;
}

static void
check_free(gpointer data)
{
  StoreCheckRow *row = data;

  g_clear_pointer(&row->answers, g_array_unref);
  g_free(row);
}

static void
mask_trust(StoreMasked *to, const StoreMask *mask, const StoreExportTurn *turn)
{
  to->verdicts = g_ptr_array_new_with_free_func(g_free);
  to->checks = g_ptr_array_new_with_free_func(check_free);
  for (guint i = 0; turn->verdicts && i < turn->verdicts->len; i++) {
    StoreVerdictRow *row = g_memdup2(turn->verdicts->pdata[i], sizeof(StoreVerdictRow));
    row->verdict.text = mask->text ? row->verdict.text : NULL;
    g_ptr_array_add(to->verdicts, row);
  }
  for (guint i = 0; turn->checks && i < turn->checks->len; i++) {
    StoreCheckRow *row = g_memdup2(turn->checks->pdata[i], sizeof(StoreCheckRow));
    const gsize n = row->check.n_answers;
    row->answers = g_array_sized_new(FALSE, FALSE, sizeof(StoreCheckAnswer), (guint)n);
    for (gsize j = 0; j < n; j++) {
      StoreCheckAnswer answer = row->check.answers[j];
      answer.answer = mask->text ? answer.answer : NULL;
      g_array_append_val(row->answers, answer);
    }
    row->check.answers = (const StoreCheckAnswer *)(gconstpointer)row->answers->data;
    g_ptr_array_add(to->checks, row);
  }
}

StoreMasked *
store_mask_turn(const StoreMask *mask, const StoreExportTurn *turn)
{
  StoreMasked *to = g_new0(StoreMasked, 1);
  StoreTurnRow *row = &to->row;

  to->strings = g_string_chunk_new(512);
  to->conversation = *turn->conversation;
  to->conversation.snippet = NULL;
  *row = *turn->row;
  if (!mask->text) {
    to->conversation.first_question = NULL;
    mask_turn_text(&row->turn);
  }
  mask_image(to, mask, &row->image);
  row->earlier = g_memdup2(row->earlier, row->turn.n_earlier_images * sizeof *row->earlier);
  for (gsize i = 0; i < row->turn.n_earlier_images; i++) {
    mask_image(to, mask, &row->earlier[i]);
  }
  if (mask->patient != STORE_PATIENT_FULL) {
    to->conversation.image_path = NULL;
    row->model.path = NULL; /* names the user's folder */
  }
  mask_trust(to, mask, turn);
  to->turn = (StoreExportTurn){&to->conversation, row, to->verdicts, to->checks};
  return to;
}

const StoreExportTurn *
store_masked_turn(const StoreMasked *masked)
{
  return &masked->turn;
}

void
store_masked_free(StoreMasked *masked)
{
  if (masked) {
    g_ptr_array_unref(masked->verdicts);
    g_ptr_array_unref(masked->checks);
    g_string_chunk_free(masked->strings);
    g_free(masked->row.earlier);
    g_free(masked);
  }
}
