/* test-export.c - what writers make of hostile texts, and what a mask takes away. */
#include "log-fixture.h"
#include "store_export.h"
#include <libxml/parser.h>
#include <libxml/relaxng.h>

#define HOSTILE "<a b=\"c\">&\x01\xff\r\n\t'\xef\xbf\xbe]]>"

static char *
pseudonym(const char *value, gpointer user)
{
  return g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)"key", 3, value, -1);
}

typedef struct {
  StoreConversation conversation;
  StoreTurnRow row;
  StoreExportTurn turn;
} Sample;

static void
sample_init(Sample *sample)
{
  *sample = (Sample){.conversation = {.id = 7,
                                      .started = "2026-11-26T00:00:00.000Z",
                                      .first_question = SECRET_QUESTION},
                     .row = {.id = 9,
                             .number = 1,
                             .time = "2026-11-26T00:00:01.000Z",
                             .turn = sample_turn,
                             .image = sample_image,
                             .model = sample_model}};
  sample->row.turn.image = 3;
  sample->turn = (StoreExportTurn){&sample->conversation, &sample->row, NULL, NULL};
}

static char *
write_masked(const StoreMask *mask, const StoreExportTurn *turn,
             void (*write)(GString *, const StoreExportTurn *))
{
  g_autoptr(StoreMasked) masked = store_mask_turn(mask, turn);
  GString *out = g_string_new(NULL);

  write(out, store_masked_turn(masked));
  return g_string_free(out, FALSE);
}

static void
test_mask_takes_all(void)
{
  static const char *const secrets[] = {SECRET_NAME,  SECRET_ID, "nodule", "1.2.3",     "20240229",
                                        "/images/ct", SHA_B,     SHA_C,    "DROP TABLE"};
  const StoreMask none = {STORE_PATIENT_NONE, FALSE, pseudonym, NULL};
  const StoreMask keyed = {STORE_PATIENT_PSEUDONYM, FALSE, pseudonym, NULL};
  Sample sample;

  sample_init(&sample);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *json =
        write_masked(&none, &sample.turn, i ? store_export_csv : store_export_json);
    g_autofree char *other =
        write_masked(&keyed, &sample.turn, i ? store_export_csv : store_export_json);
    for (guint j = 0; j < G_N_ELEMENTS(secrets); j++) {
      g_assert_null(strstr(json, secrets[j]));
      /* Hashes of pictures stay beside a pseudonym. */
      g_assert_true(j == 6 || j == 7 || !strstr(other, secrets[j]));
    }
    g_assert_nonnull(strstr(other, "2.25."));
  }
}

static void
test_pseudonyms(void)
{
  const StoreMask keyed = {STORE_PATIENT_PSEUDONYM, FALSE, pseudonym, NULL};
  const StoreMask without = {STORE_PATIENT_PSEUDONYM, FALSE, NULL, NULL};
  g_autofree char *one = store_mask_uid(&keyed, "1.2.3"), *same = store_mask_uid(&keyed, "1.2.3");
  g_autofree char *other = store_mask_uid(&keyed, "1.2.4");

  g_assert_cmpstr(one, ==, same);
  g_assert_cmpstr(one, !=, other);
  g_assert_cmpuint(strlen(one), <=, 64);
  g_assert_true(g_str_has_prefix(one, "2.25.") && strspn(one, "0123456789.") == strlen(one));
  g_assert_null(
      store_mask_uid(&without, "1.2.3")); /* without a key nothing, not what is guessable */
  g_assert_null(store_mask_uid(&keyed, NULL));
}

static void
test_csv_defuses(void)
{
  static const char *const texts[] = {"=1+1", "+1", "-1", "@x", "\tx", " =1", "＝1"};
  const StoreMask full = {STORE_PATIENT_FULL, TRUE, pseudonym, NULL};
  Sample sample;

  sample_init(&sample);
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *expected = g_strdup_printf(",\"'%s\",", texts[i]);
    g_autofree char *csv = NULL;
    sample.row.turn.question = texts[i];
    csv = write_masked(&full, &sample.turn, store_export_csv);
    g_assert_nonnull(strstr(csv, expected));
    g_assert_nonnull(strstr(csv, ",-600.5,")); /* a number is one */
    g_assert_true(g_str_has_suffix(csv, "\r\n"));
  }
}

static StoreAudit
hostile_audit(const char *kind, gboolean failed)
{
  static const StoreAuditImage images[] = {{"1.2", "1.2.3"}, {"1.2", HOSTILE}, {NULL, NULL}};
  static const StoreField details[] = {{HOSTILE, HOSTILE}};

  return (StoreAudit){.number = 1,
                      .time = "2026-11-26T00:00:00.000Z",
                      .kind = kind,
                      .failed = failed,
                      .user_name = HOSTILE,
                      .real_name = HOSTILE,
                      .host = "a b\nc",
                      .patient_id = HOSTILE,
                      .patient_name = HOSTILE,
                      .study_instance_uid = "1.2.3",
                      .images = images,
                      .n_images = G_N_ELEMENTS(images),
                      .model = HOSTILE,
                      .place = HOSTILE,
                      .details = details,
                      .n_details = 1};
}

static const char *const kinds[] = {
    "application", "import",  "shown",    "turn",    "check",     "verdict", "export",
    "viewed",      "setting", "model",    "refused", "loaded",    "session", "verification",
    "consent",     "erased",  "migrated", "sealed",  "continued", "of later"};

static void
test_xml_is_of_the_schema(void)
{
  g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "audit-message.rng", NULL);
  xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(path);
  xmlRelaxNGPtr schema = xmlRelaxNGParse(parser);
  xmlRelaxNGValidCtxtPtr valid = xmlRelaxNGNewValidCtxt(schema);

  g_assert_nonnull(schema);
  for (guint i = 0; i < 2 * G_N_ELEMENTS(kinds); i++) {
    const StoreAudit audit = hostile_audit(kinds[i / 2], i % 2);
    g_autoptr(GString) text = g_string_new("<AuditMessages>");
    store_audit_xml(text, &audit);
    g_assert_null(strchr(text->str, '\n'));
    g_string_append(text, "</AuditMessages>");
    xmlDocPtr doc = xmlReadMemory(text->str, (int)text->len, "x", NULL, XML_PARSE_NONET);
    g_assert_nonnull(doc);
    g_assert_cmpint(xmlRelaxNGValidateDoc(valid, doc), ==, 0);
    xmlFreeDoc(doc);
  }
  xmlRelaxNGFreeValidCtxt(valid);
  xmlRelaxNGFree(schema);
  xmlRelaxNGFreeParserCtxt(parser);
}

static void
test_syslog_frames(void)
{
  static const struct {
    const char *kind;
    gboolean failed;
    const char *begins;
  } cases[] = {{"turn", FALSE, "<85>1 "},
               {"turn", TRUE, "<84>1 "},
               {"refused", FALSE, "<83>1 "},
               {"verification", TRUE, "<82>1 "}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const StoreAudit audit = hostile_audit(cases[i].kind, cases[i].failed);
    g_autoptr(GString) text = g_string_new(NULL);
    char *end = NULL;
    store_audit_syslog(text, &audit, TRUE);
    const guint64 n = g_ascii_strtoull(text->str, &end, 10);
    g_assert_cmpuint(n, ==, strlen(end + 1));
    g_assert_true(g_str_has_prefix(end + 1, cases[i].begins));
    g_assert_nonnull(strstr(end, " a?b?c hilum - DICOM+RFC3881 - \xef\xbb\xbf<AuditMessage>"));
  }
}

static void
test_fhir_is_json(void)
{
  for (guint i = 0; i < 2 * G_N_ELEMENTS(kinds); i++) {
    const StoreAudit audit = hostile_audit(kinds[i / 2], i % 2);
    g_autoptr(GString) text = g_string_new(NULL);
    store_audit_fhir(text, &audit);
    g_assert_true(g_utf8_validate(text->str, -1, NULL));
    g_assert_nonnull(strstr(text->str, "\"resourceType\": \"AuditEvent\""));
    /* The profiles are of what went well. */
    g_assert_true(i % 2 == 0 || !strstr(text->str, "IHE.BasicAudit"));
  }
}

static void
test_rows_that_others_tell(void)
{
  const StoreAudit audit = hostile_audit("image", FALSE);
  g_autoptr(GString) text = g_string_new(NULL);

  store_audit_xml(text, &audit);
  store_audit_syslog(text, &audit, TRUE);
  store_audit_fhir(text, &audit);
  g_assert_cmpuint(text->len, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/export/mask/takes-all", test_mask_takes_all);
  g_test_add_func("/export/mask/pseudonyms", test_pseudonyms);
  g_test_add_func("/export/csv/formulas", test_csv_defuses);
  g_test_add_func("/export/xml/schema", test_xml_is_of_the_schema);
  g_test_add_func("/export/syslog/frames", test_syslog_frames);
  g_test_add_func("/export/fhir/json", test_fhir_is_json);
  g_test_add_func("/export/other-rows", test_rows_that_others_tell);
  return g_test_run();
}
