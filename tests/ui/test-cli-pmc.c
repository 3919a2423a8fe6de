/* test-cli-pmc.c - hilum pmc, as a user runs it. */
#include <string.h>

#include "app/tiny.h"
#include "cli-run.h"

static char *folder;

static char *
in_folder(const char *name)
{
  return g_build_filename(folder, name, NULL);
}

static void
write_article(const char *name, const char *id, const char *body)
{
  g_autofree char *path = in_folder(name);
  g_autofree char *xml =
      g_strdup_printf("<article xmlns:xlink='http://www.w3.org/1999/xlink'><front><article-meta>"
                      "<article-id pub-id-type='pmid'>%s</article-id></article-meta></front><body>"
                      "%s</body></article>",
                      id, body);

  g_assert_true(g_file_set_contents(path, xml, -1, NULL));
}

static void
test_figures(void)
{
  g_auto(CliRun) run = {0}, again = {0};
  g_autofree char *out = in_folder("out.jsonl"), *bad = in_folder("c.nxml"), *text = NULL;
  g_autoptr(GPtrArray) lines = NULL;
  g_autoptr(JsonNode) report = NULL;
  JsonObject *o;

  write_article("b.nxml", "2", "<fig id='F1'><caption><p>Second.</p></caption></fig>");
  write_article("a.nxml", "1",
                "<fig id='F1'><label>Figure 1</label><caption><p>First \"quoted\".</p></caption>"
                "<graphic xlink:href='g1'/></fig><fig id='F2'/>");
  g_assert_true(g_file_set_contents(bad, "<article>", -1, NULL));
  cli_run(&run, NULL, "pmc", "figures", folder, NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 3);
  o = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(o,
                  "pair_id pmid pmcid fig_id fig_label fig_caption in_text_mention image_file licence "
                  "article_title year");
  g_assert_cmpstr(json_object_get_string_member(o, "pair_id"), ==, "1_F1");
  g_assert_cmpstr(json_object_get_string_member(o, "fig_caption"), ==, "First \"quoted\".");
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(lines->pdata[2]), "pair_id"),
                  ==, "2_F1");
  g_assert_nonnull(strstr(run.err, "c.nxml: no well-formed XML"));
  g_assert_nonnull(strstr(run.err, "3 figures of 2 articles"));

  cli_run(&again, NULL, "pmc", "figures", folder, "--out", out, "--json", NULL);
  g_assert_cmpint(again.status, ==, 0);
  report = json_from_string(again.out, NULL);
  o = json_node_get_object(report);
  cli_assert_keys(o, "out articles figures failed without_caption images images_missing seconds");
  g_assert_cmpint(json_object_get_int_member(o, "failed"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(o, "without_caption"), ==, 1);
  g_assert_true(g_file_get_contents(out, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, run.out);
}

static void
test_misused(void)
{
  g_auto(CliRun) none = {0}, gone = {0}, json = {0}, nowhere = {0};

  cli_run(&none, NULL, "pmc", "figures", NULL);
  g_assert_cmpint(none.status, ==, 2);
  cli_run(&json, NULL, "pmc", "figures", folder, "--json", NULL);
  g_assert_cmpint(json.status, ==, 2);
  cli_run(&gone, NULL, "pmc", "figures", "/no/such/folder", NULL);
  g_assert_cmpint(gone.status, ==, 1);
  g_assert_nonnull(strstr(gone.err, "/no/such/folder"));
  cli_run(&nowhere, NULL, "pmc", "figures", folder, "--out", "/no/such/folder/x.jsonl", NULL);
  g_assert_cmpint(nowhere.status, ==, 1);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  folder = tiny_folder_new();
  g_test_add_func("/cli-pmc/figures", test_figures);
  g_test_add_func("/cli-pmc/misused", test_misused);
  status = g_test_run();
  tiny_folder_free(folder);
  return status;
}
