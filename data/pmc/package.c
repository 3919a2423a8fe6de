/* package.c - where articles lie: files, folders, and PMC's packages, which are read as streams.
 *
 * A package is read once for its articles, and once more for the images that somebody wants then.
 * Nothing of it is written anywhere, so that the names in it lead nowhere.
 */
#include "pmc.h"

#include <errno.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <gio/gio.h>

#include "pmc/limits.h"
#include "store.h"

typedef struct {
  const PmcVisitor *visitor;
  gboolean cancelled;
} Visit;

static gboolean
go_on(Visit *visit)
{
  if (!visit->cancelled && visit->visitor->go_on && !visit->visitor->go_on(visit->visitor->user)) {
    visit->cancelled = TRUE;
  }
  return !visit->cancelled;
}

static gboolean
has_suffix(const char *name, const char *const *suffixes)
{
  const gsize n = strlen(name);

  for (; *suffixes; suffixes++) {
    const gsize k = strlen(*suffixes);
    if (n > k && g_ascii_strcasecmp(name + n - k, *suffixes) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
is_article(const char *name)
{
  static const char *const suffixes[] = {".nxml", ".xml", NULL};
  return has_suffix(name, suffixes);
}

static gboolean
is_package(const char *name)
{
  static const char *const suffixes[] = {".tar.gz", ".tgz", ".tar", NULL};
  return has_suffix(name, suffixes);
}

static gboolean
is_image(const char *name)
{
  static const char *const suffixes[] = {".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", NULL};
  return has_suffix(name, suffixes);
}

static void
tell(Visit *visit, const char *name, const GError *failure)
{
  if (failure && g_error_matches(failure, STORE_ERROR, STORE_ERROR_CANCELLED)) {
    visit->cancelled = TRUE;
  } else if (visit->visitor->article) {
    visit->visitor->article(name, failure, visit->visitor->user);
  }
}

static void
read_article(Visit *visit, const char *name, const char *bytes, gsize n)
{
  g_autoptr(GError) failure = NULL;

  pmc_article_figures(bytes, n, name, visit->visitor->figure, visit->visitor->user, NULL, &failure);
  tell(visit, name, failure);
}

/* ---- files -------------------------------------------------------------------------------------
 */

static void
visit_article(Visit *visit, const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GFileInfo) info = NULL;
  g_autoptr(GError) failure = NULL;
  g_autofree char *bytes = NULL, *name = g_filename_display_name(path);
  gsize n = 0;

  info = g_file_query_info(file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, NULL,
                           &failure);
  if (info && g_file_info_get_size(info) > PMC_MOST_ARTICLE_BYTES) {
    g_set_error(&failure, STORE_ERROR, STORE_ERROR_INVALID,
                "%s: %" G_GOFFSET_FORMAT " bytes; expected an article of at most %u", name,
                g_file_info_get_size(info), PMC_MOST_ARTICLE_BYTES);
  } else if (info && g_file_load_contents(file, NULL, &bytes, &n, NULL, &failure)) {
    read_article(visit, name, bytes, n);
    return;
  }
  tell(visit, name, failure);
}

/* ---- packages ----------------------------------------------------------------------------------
 */

static GError *
archive_failure(struct archive *archive, const char *name)
{
  const char *what = archive_error_string(archive);

  return g_error_new(STORE_ERROR, STORE_ERROR_CORRUPT,
                     "%s: the package breaks off or is damaged (%s)", name,
                     what ? what : "no reason given");
}

/* A name that stays where it is put. */
static gboolean
is_safe(const char *name)
{
  g_auto(GStrv) parts = NULL;

  if (!name || !*name || *name == '/' || strchr(name, '\\') || !g_utf8_validate(name, -1, NULL)) {
    return FALSE;
  }
  parts = g_strsplit(name, "/", -1);
  return !g_strv_contains((const char *const *)parts, "..");
}

/* The bytes of the member that ARCHIVE stands on; NULL with FAILURE. */
static char *
read_member(struct archive *archive, const char *name, gsize most, gsize *n, GError **failure)
{
  g_autoptr(GByteArray) all = g_byte_array_new();
  guint8 part[65536];
  la_ssize_t got;

  while ((got = archive_read_data(archive, part, sizeof part)) > 0) {
    if (all->len + (gsize)got > most) {
      g_set_error(failure, STORE_ERROR, STORE_ERROR_INVALID,
                  "%s: over %" G_GSIZE_FORMAT " bytes, which no real one has", name, most);
      return NULL;
    }
    g_byte_array_append(all, part, (guint)got);
  }
  if (got < 0) {
    g_propagate_error(failure, archive_failure(archive, name));
    return NULL;
  }
  *n = all->len;
  g_byte_array_append(all, (const guint8 *)"", 1);
  return (char *)g_byte_array_free(g_steal_pointer(&all), FALSE);
}

static void
visit_member(Visit *visit, struct archive *archive, const char *package, const char *name,
             gboolean images)
{
  g_autofree char *whole = g_strdup_printf("%s: %s", package, name);
  g_autofree char *bytes = NULL;
  g_autoptr(GError) failure = NULL;
  gsize n = 0;

  if (images ? !is_image(name) || !visit->visitor->wants_image(name, visit->visitor->user)
             : !is_article(name)) {
    return;
  }
  bytes = read_member(archive, whole, images ? PMC_MOST_IMAGE_BYTES : PMC_MOST_ARTICLE_BYTES, &n,
                      &failure);
  if (!bytes) {
    tell(visit, whole, failure);
  } else if (images) {
    visit->visitor->image(name, bytes, n, visit->visitor->user);
  } else {
    read_article(visit, whole, bytes, n);
  }
}

/* One pass. FALSE: it ended before the package did; that has been told. */
static gboolean
walk_package(Visit *visit, struct archive *archive, const char *package, gboolean images)
{
  struct archive_entry *entry;
  g_autoptr(GError) failure = NULL;
  guint n_members = 0;
  int status;

  while ((status = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
         status == ARCHIVE_WARN) {
    const char *name = archive_entry_pathname_utf8(entry);

    if (!go_on(visit)) {
      return FALSE;
    }
    if (++n_members > PMC_MOST_MEMBERS ||
        (guint64)archive_filter_bytes(archive, 0) > PMC_MOST_PACKAGE_BYTES) {
      g_set_error(&failure, STORE_ERROR, STORE_ERROR_INVALID,
                  "%s: more than %u members or %llu bytes, which no real package has", package,
                  PMC_MOST_MEMBERS, PMC_MOST_PACKAGE_BYTES);
      tell(visit, package, failure);
      return FALSE;
    }
    if (archive_entry_filetype(entry) != AE_IFREG) {
      continue;
    }
    if (is_safe(name)) {
      visit_member(visit, archive, package, name, images);
    } else if (!images) {
      g_autoptr(GError) odd = g_error_new(STORE_ERROR, STORE_ERROR_INVALID,
                                          "%s: a member's name leads out of the package, or is no "
                                          "text; it is left out",
                                          package);
      tell(visit, package, odd);
    }
  }
  if (status != ARCHIVE_EOF) {
    failure = archive_failure(archive, package);
    tell(visit, package, failure);
    return FALSE;
  }
  return TRUE;
}

static gboolean
pass(Visit *visit, const char *path, const char *name, gboolean images)
{
  struct archive *archive = archive_read_new();
  gboolean whole = FALSE;

  archive_read_support_filter_gzip(archive);
  archive_read_support_format_tar(archive);
  archive_read_support_format_empty(archive);
  if (archive_read_open_filename(archive, path, 65536) != ARCHIVE_OK) {
    g_autoptr(GError) failure = archive_failure(archive, name);
    tell(visit, name, failure);
  } else {
    whole = walk_package(visit, archive, name, images);
  }
  archive_read_free(archive);
  return whole;
}

static void
visit_package(Visit *visit, const char *path)
{
  g_autofree char *name = g_filename_display_name(path);

  if (visit->visitor->package) {
    visit->visitor->package(name, visit->visitor->user);
  }
  /* What came before the damage is good, its images too. */
  pass(visit, path, name, FALSE);
  if (visit->visitor->wants_image && go_on(visit)) {
    const PmcVisitor quiet = {.wants_image = visit->visitor->wants_image,
                              .image = visit->visitor->image,
                              .go_on = visit->visitor->go_on,
                              .user = visit->visitor->user};
    Visit again = {.visitor = &quiet};

    pass(&again, path, name, TRUE);
    visit->cancelled = again.cancelled;
  }
}

/* ---- folders -----------------------------------------------------------------------------------
 */

static void
visit_file(Visit *visit, const char *path)
{
  if (is_package(path)) {
    visit_package(visit, path);
  } else if (is_article(path)) {
    visit_article(visit, path);
  }
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  /* Popped from the end: the first name last. */
  return -strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
push_folder(Visit *visit, const char *path, GPtrArray *stack)
{
  g_autoptr(GError) failure = NULL;
  g_autoptr(GDir) folder = g_dir_open(path, 0, &failure);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const char *name;

  if (!folder) {
    g_autofree char *shown = g_filename_display_name(path);
    tell(visit, shown, failure);
    return;
  }
  while ((name = g_dir_read_name(folder))) {
    g_ptr_array_add(names, g_build_filename(path, name, NULL));
  }
  g_ptr_array_sort(names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    /* Links are not followed: a folder may lead into itself. */
    if (!g_file_test(names->pdata[i], G_FILE_TEST_IS_SYMLINK)) {
      g_ptr_array_add(stack, g_steal_pointer(&names->pdata[i]));
    }
  }
}

gboolean
pmc_visit(const char *path, const PmcVisitor *visitor, GError **error)
{
  g_autoptr(GPtrArray) stack = g_ptr_array_new_with_free_func(g_free);
  Visit visit = {.visitor = visitor};

  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, STORE_ERROR, STORE_ERROR_IO, "%s: no such file or folder", name);
    return FALSE;
  }
  g_ptr_array_add(stack, g_strdup(path));
  while (stack->len > 0 && go_on(&visit)) {
    g_autofree char *next = g_ptr_array_steal_index(stack, stack->len - 1);

    if (g_file_test(next, G_FILE_TEST_IS_DIR)) {
      push_folder(&visit, next, stack);
    } else {
      visit_file(&visit, next);
    }
  }
  if (visit.cancelled) {
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  return TRUE;
}
