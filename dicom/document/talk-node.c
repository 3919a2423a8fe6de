/* talk-node.c - nodes of a content tree (PS3.3 C.17.3). */
#include "dicom/document/talk.h"

#include <string.h>

/* UT may have line ends, as CR LF (PS3.5 6.1.3), but no other control characters. */
static void
put_words(GByteArray *to, guint32 tag, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_autoptr(GString) words = g_string_new(NULL);

  for (const char *c = valid; *c; c++) {
    if (*c == '\n') {
      g_string_append(words, "\r\n");
    } else if (*c != '\r') {
      g_string_append_c(words, ((guchar)*c < 32 && *c != '\t') || *c == 127 ? ' ' : *c);
    }
  }
  /* A text may not be empty. */
  if (words->len == 0) {
    g_string_append(words, "-");
  }
  dicom_put_long(to, tag, "UT", (const guint8 *)words->str, words->len);
}

static void
put_value(GByteArray *item, const DicomTalkNode *node)
{
  if (strcmp(node->type, "CONTAINER") == 0) {
    dicom_put_text(item, 0x0040a050, "CS", "SEPARATE");
  }
  if (node->time) {
    dicom_put_text(item, 0x0040a120, "DT", node->time);
  }
  if (node->person) {
    dicom_put_text(item, 0x0040a123, "PN", node->person);
  }
  if (node->uid) {
    dicom_put_text(item, 0x0040a124, "UI", node->uid);
  }
  if (node->text) {
    put_words(item, 0x0040a160, node->text);
  }
  if (node->code) {
    dicom_put_code(item, 0x0040a168, node->code);
  }
}

void
dicom_talk_put_node(GByteArray *items, const DicomTalkNode *node)
{
  GByteArray *item = g_byte_array_new();

  if (node->image) {
    dicom_put_single(item, 0x00081199, dicom_talk_reference(node->image, TRUE));
  }
  dicom_put_text(item, 0x0040a010, "CS", node->relationship);
  dicom_put_text(item, 0x0040a040, "CS", node->type);
  if (node->name) {
    dicom_put_code(item, 0x0040a043, node->name);
  }
  put_value(item, node);
  if (node->children) {
    dicom_put_sequence(item, 0x0040a730, node->children);
  }
  dicom_put_item(items, item);
}

void
dicom_talk_put_text(GByteArray *items, const char *relationship, const DicomCode *name,
                    const char *text)
{
  const DicomTalkNode node = {
      .relationship = relationship, .type = "TEXT", .name = name, .text = text};

  dicom_talk_put_node(items, &node);
}

void
dicom_talk_put_code(GByteArray *items, const char *relationship, const DicomCode *name,
                    const DicomCode *code)
{
  const DicomTalkNode node = {
      .relationship = relationship, .type = "CODE", .name = name, .code = code};

  dicom_talk_put_node(items, &node);
}

void
dicom_talk_put_uid(GByteArray *items, const DicomCode *name, const char *uid)
{
  const DicomTalkNode node = {
      .relationship = "HAS OBS CONTEXT", .type = "UIDREF", .name = name, .uid = uid};

  dicom_talk_put_node(items, &node);
}
