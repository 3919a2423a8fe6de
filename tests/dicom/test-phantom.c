/* test-phantom.c - the phantoms: their truth, their pictures, and the objects that are written. */
#include <math.h>
#include <string.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "dicom_phantom.h"

#define SIZE 112

static char *
scratch(void)
{
  g_autoptr(GError) error = NULL;
  char *path = g_dir_make_tmp("hilum-phantom-XXXXXX", &error);
  g_assert_no_error(error);
  return path;
}

static void
remove_folder(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;
  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir))) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    g_assert_cmpint(g_unlink(child), ==, 0);
  }
  g_assert_cmpint(g_rmdir(path), ==, 0);
}

static DicomPicture *
render(const PhantomTruth *truth)
{
  g_autoptr(GError) error = NULL;
  DicomPicture *picture = phantom_render(truth, &error);
  g_assert_no_error(error);
  return picture;
}

/* ---- truth ----------------------------------------------------------------------------------- */

static void
check_finding(const PhantomTruth *t, const PhantomFinding *f)
{
  double field = t->spacing_mm * t->columns;
  gboolean liver = f->kind == PHANTOM_LIVER_CYST || f->kind == PHANTOM_LIVER_MASS;
  g_assert_cmpint(f->side == PHANTOM_SIDE_NONE, ==, liver);
  g_assert_true(f->side != PHANTOM_SIDE_BOTH || f->kind == PHANTOM_EFFUSION);
  if (f->kind == PHANTOM_EFFUSION) {
    return;
  }
  /* Inside the picture with its whole disc, on the side that it says. */
  g_assert_cmpfloat(f->x_mm - f->size_mm / 2, >, 0);
  g_assert_cmpfloat(f->y_mm - f->size_mm / 2, >, 0);
  g_assert_cmpfloat(f->x_mm + f->size_mm / 2, <, field);
  g_assert_cmpfloat(f->y_mm + f->size_mm / 2, <, field);
  if (!liver) {
    g_assert_cmpint(f->u > 0, ==, f->side == PHANTOM_SIDE_LEFT);
  }
  /* Large enough to be seen at 112 pixels, and the two size classes do not meet. */
  if (f->kind == PHANTOM_NODULE || liver) {
    g_assert_cmpfloat(f->size_mm / field, >, 0.06);
    g_assert_true(f->large ? f->r > 0.125 : f->r < 0.09);
  } else {
    g_assert_cmpfloat(f->size_mm / field, >, 0.05);
  }
}

static void
check_truth(const PhantomTruth *t)
{
  guint nodules = phantom_count(t, PHANTOM_NODULE, PHANTOM_SIDE_NONE);
  guint cysts = phantom_count(t, PHANTOM_LIVER_CYST, PHANTOM_SIDE_NONE);
  guint masses = phantom_count(t, PHANTOM_LIVER_MASS, PHANTOM_SIDE_NONE);
  gboolean chest = t->kind == PHANTOM_CHEST_CR || t->kind == PHANTOM_CHEST_CT;
  g_assert_cmpuint(nodules, <=, 3);
  g_assert_cmpuint(cysts + masses, <=, 3);
  g_assert_true(cysts == 0 || masses == 0);
  g_assert_true(nodules == 0 || chest);
  g_assert_true(!t->heart_enlarged || t->kind == PHANTOM_CHEST_CR);
  g_assert_true(!t->ventricles_enlarged || t->kind == PHANTOM_HEAD_CT);
  g_assert_cmpuint(phantom_count(t, PHANTOM_NODULE, PHANTOM_SIDE_LEFT) +
                       phantom_count(t, PHANTOM_NODULE, PHANTOM_SIDE_RIGHT),
                   ==, nodules);
  for (guint i = 0; i < t->n_findings; i++) {
    const PhantomFinding *f = &t->findings[i];
    check_finding(t, f);
    for (guint j = 0; j < i; j++) {
      const PhantomFinding *g = &t->findings[j];
      double du = f->u - g->u, dv = f->v - g->v;
      if (f->r > 0 && g->r > 0) {
        g_assert_cmpfloat(sqrt(du * du + dv * dv), >, f->r + g->r);
      }
    }
    if (f->kind == PHANTOM_NODULE && t->kind == PHANTOM_CHEST_CR) {
      /* The zones are bands of height that keep apart. */
      const char *zone = f->v < -0.2 ? "upper" : f->v < 0.12 ? "middle" : "lower";
      g_assert_cmpstr(f->zone, ==, zone);
    }
  }
}

static void
test_truth(void)
{
  guint kinds[PHANTOM_N_KINDS] = {0}, seen[PHANTOM_N_FINDINGS] = {0};
  for (guint64 i = 0; i < 5000; i++) {
    PhantomTruth t;
    phantom_truth(11, i, &t);
    check_truth(&t);
    kinds[t.kind]++;
    for (guint k = 0; k < t.n_findings; k++) {
      seen[t.findings[k].kind]++;
    }
  }
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    g_assert_cmpuint(kinds[k], >, 800);
  }
  for (guint k = 0; k < PHANTOM_N_FINDINGS; k++) {
    g_assert_cmpuint(seen[k], >, 200);
  }
}

static void
test_names(void)
{
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    PhantomKind kind;
    g_assert_true(phantom_kind_parse(phantom_kind_name((PhantomKind)k), &kind));
    g_assert_cmpuint(kind, ==, k);
  }
  PhantomKind kind;
  g_assert_null(phantom_kind_name(PHANTOM_N_KINDS));
  g_assert_false(phantom_kind_parse("chest", &kind));
  g_assert_false(phantom_kind_parse("", &kind));
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* A phantom never changes: these are the SHA-256 of the values of eight pictures each, 96 pixels a
 * side, seed 2026, on any machine and at any level of optimization. When a picture is meant to
 * change, change them, and retrain the demo model. */
static const char *const golden[PHANTOM_N_KINDS] = {
    "5a9f4bd602c547ee8bd1a20e833a5896bd27b468af68f7447976eb3e34099681",
    "c9ebab637d0968a4031a64545250ab53b922bd684cbbd087ee31830a59faa700",
    "581c1bf503c79c4f7eb69debcd2306218ce51d955bd1df243ac260c80e79f575",
    "e326e58a52699a10313ac7da8c76e409b16c2309018552e2921d2d376e30eaa2",
};

static void
test_golden(void)
{
  const gsize n = 96 * 96;
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint64 index = 0; index < 8; index++) {
      PhantomTruth t;
      phantom_truth_of_kind(2026, index, (PhantomKind)k, &t);
      phantom_resize(&t, 96);
      g_autofree gint16 *values = phantom_draw(&t);
      for (gsize i = 0; i < n; i++) {
        guint8 bytes[2] = {(guint8)(values[i] & 0xff), (guint8)((guint16)values[i] >> 8)};
        g_checksum_update(checksum, bytes, 2);
      }
    }
    const char *sha = g_checksum_get_string(checksum);
    g_test_message("%s %s", phantom_kind_name((PhantomKind)k), sha);
    g_assert_cmpstr(sha, ==, golden[k]);
  }
}

static void
test_differs(void)
{
  PhantomTruth a, b;
  phantom_truth_of_kind(1, 0, PHANTOM_CHEST_CR, &a);
  phantom_truth_of_kind(1, 1, PHANTOM_CHEST_CR, &b);
  g_autofree gint16 *first = phantom_draw(&a);
  g_autofree gint16 *again = phantom_draw(&a);
  g_autofree gint16 *other = phantom_draw(&b);
  gsize n = (gsize)a.rows * a.columns * sizeof *first;
  g_assert_cmpmem(first, n, again, n);
  g_assert_cmpint(memcmp(first, other, n), !=, 0);
}

/* Grey levels by which two pictures differ on average within the disc; whole halves when R is 0. */
static double
difference(const DicomPicture *a, const DicomPicture *b, double x, double y, double r, double *left,
           double *right)
{
  double inside = 0, n = 0;
  *left = *right = 0;
  for (guint row = 0; row < a->height; row++) {
    for (guint column = 0; column < a->width; column++) {
      gsize at = 3 * ((gsize)row * a->width + column);
      double d = fabs((double)a->pixels[at] - b->pixels[at]);
      double dx = column - x, dy = row - y;
      if (dx * dx + dy * dy < r * r) {
        inside += d;
        n++;
      }
      /* The patient's left is on the picture's right. */
      *(column >= a->width / 2 ? left : right) += d;
    }
  }
  return n > 0 ? inside / n : 0;
}

static void
check_visible(const PhantomTruth *t, guint which)
{
  PhantomTruth without = *t;
  const PhantomFinding *f = &t->findings[which];
  without.findings[which] = without.findings[--without.n_findings];
  g_autoptr(DicomPicture) with = render(t);
  g_autoptr(DicomPicture) bare = render(&without);
  double left, right;
  double inside = difference(with, bare, f->x_mm / t->spacing_mm, f->y_mm / t->spacing_mm,
                             0.4 * f->size_mm / t->spacing_mm, &left, &right);
  g_test_message("%s %s: %.1f grey levels", phantom_kind_name(t->kind), f->name, inside);
  if (f->kind != PHANTOM_EFFUSION) {
    g_assert_cmpfloat(inside, >, 30);
  }
  /* All of the difference lies on the side that the truth names. */
  if (f->side == PHANTOM_SIDE_LEFT && f->kind != PHANTOM_PACEMAKER) {
    g_assert_cmpfloat(left, >, 1000);
    g_assert_cmpfloat(left, >, 10 * right);
  } else if (f->side == PHANTOM_SIDE_RIGHT && f->kind != PHANTOM_PACEMAKER) {
    g_assert_cmpfloat(right, >, 1000);
    g_assert_cmpfloat(right, >, 10 * left);
  }
}

static void
test_visible(void)
{
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    for (guint64 i = 0; i < 60; i++) {
      PhantomTruth t;
      phantom_truth_of_kind(5, i, (PhantomKind)k, &t);
      phantom_resize(&t, SIZE);
      for (guint f = 0; f < t.n_findings; f++) {
        check_visible(&t, f);
      }
    }
  }
}

/* The heart and the ventricles: what they cover grows by much more than it varies. */
static void
test_enlarged(void)
{
  for (guint64 i = 0; i < 20; i++) {
    for (guint k = 0; k < 2; k++) {
      PhantomTruth t;
      phantom_truth_of_kind(6, i, k ? PHANTOM_HEAD_CT : PHANTOM_CHEST_CR, &t);
      t.n_findings = 0;
      phantom_resize(&t, SIZE);
      t.heart_enlarged = t.ventricles_enlarged = FALSE;
      g_autoptr(DicomPicture) normal = render(&t);
      t.heart_enlarged = !k;
      t.ventricles_enlarged = k;
      g_autoptr(DicomPicture) enlarged = render(&t);
      guint changed = 0;
      for (gsize p = 0; p < (gsize)SIZE * SIZE; p++) {
        changed += abs(normal->pixels[3 * p] - enlarged->pixels[3 * p]) > 25;
      }
      /* At least 2 % of the picture. */
      g_assert_cmpuint(changed, >, SIZE * SIZE / 50);
    }
  }
}

/* ---- objects --------------------------------------------------------------------------------- */

/* What is read back from PATH through the whole of the reading side. */
static void
check_read_back(const PhantomTruth *t, const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  const DicomInfo *info = dicom_file_info(file);
  g_assert_cmpuint(info->rows, ==, t->rows);
  g_assert_cmpuint(info->columns, ==, t->columns);
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
  g_assert_no_error(error);
  g_autoptr(DicomPicture) read = dicom_frame_render(frame, NULL, &error);
  g_assert_no_error(error);
  g_autoptr(DicomPicture) drawn = render(t);
  gsize n = (gsize)t->rows * t->columns * 3;
  g_assert_cmpmem(read->pixels, n, drawn->pixels, n);
  if (info->kind != DICOM_KIND_DICOM) {
    return;
  }
  g_assert_cmpstr(info->modality, ==, t->modality);
  g_assert_cmpstr(info->body_part_examined, ==, t->body_part);
  g_assert_cmpstr(info->photometric, ==, t->monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
  g_assert_cmpstr(info->image_comments, ==, "A caption, ünïcode.");
  g_assert_true(g_str_has_prefix(info->patient_name, "PHANTOM^"));
  g_assert_true(g_str_has_prefix(info->sop_instance_uid, "2.25."));
  g_assert_cmpuint(strlen(info->sop_instance_uid), <=, 64);
  g_assert_cmpfloat_with_epsilon(info->spacing[0], t->spacing_mm, 1e-6);
  if (t->kind != PHANTOM_CHEST_CR) {
    /* CT: what is read after the rescale are the Hounsfield units that were drawn. */
    g_autofree gint16 *values = phantom_draw(t);
    double value;
    for (guint p = 0; p < t->columns; p += 7) {
      g_assert_true(dicom_frame_value(frame, p, t->rows / 2, &value));
      g_assert_cmpfloat(value, ==, values[(gsize)(t->rows / 2) * t->columns + p]);
    }
  }
}

static void
test_round_trip(void)
{
  g_autofree char *dir = scratch();
  g_autofree char *dicom = g_build_filename(dir, "p.dcm", NULL);
  g_autofree char *png = g_build_filename(dir, "p.png", NULL);
  gboolean inverted = FALSE;
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    for (guint64 i = 0; i < 12; i++) {
      g_autoptr(GError) error = NULL;
      PhantomTruth t;
      phantom_truth_of_kind(8, i, (PhantomKind)k, &t);
      /* Odd sizes too: pixel data of an odd number of bytes would need padding. */
      phantom_resize(&t, i % 2 ? 77 : 128);
      inverted |= t.monochrome1;
      g_assert_true(phantom_write_dicom(&t, "A caption, ünïcode.", dicom, i % 2, &error));
      g_assert_no_error(error);
      check_read_back(&t, dicom);
      g_assert_true(phantom_write_png(&t, png, i % 2, &error));
      g_assert_no_error(error);
      check_read_back(&t, png);
    }
  }
  g_assert_true(inverted);
  remove_folder(dir);
}

/* The same study in another matrix, of another kind or with another index is another object. */
static void
test_uids(void)
{
  g_autofree char *dir = scratch();
  g_autofree char *path = g_build_filename(dir, "p.dcm", NULL);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < 16; i++) {
    g_autoptr(GError) error = NULL;
    PhantomTruth t;
    phantom_truth_of_kind(i & 1, i >> 3, i & 2 ? PHANTOM_CHEST_CT : PHANTOM_HEAD_CT, &t);
    phantom_resize(&t, i & 4 ? 64 : 65);
    g_assert_true(phantom_write_dicom(&t, NULL, path, FALSE, &error));
    g_assert_no_error(error);
    g_autoptr(DicomFile) file = dicom_file_open(path, &error);
    g_assert_no_error(error);
    const DicomInfo *info = dicom_file_info(file);
    g_assert_true(g_hash_table_add(seen, g_strdup(info->sop_instance_uid)));
    g_assert_true(g_hash_table_add(seen, g_strdup(info->series_instance_uid)));
    g_assert_true(g_hash_table_add(seen, g_strdup(info->study_instance_uid)));
    g_assert_true(g_hash_table_add(seen, g_strdup(info->frame_of_reference_uid)));
  }
  remove_folder(dir);
}

static void
test_write_failures(void)
{
  g_autofree char *dir = scratch();
  g_autofree char *missing = g_build_filename(dir, "no", "p.dcm", NULL);
  g_autofree char *taken = g_build_filename(dir, "taken", NULL);
  PhantomTruth t;
  phantom_truth_of_kind(1, 1, PHANTOM_HEAD_CT, &t);
  phantom_resize(&t, 32);
  g_assert_cmpint(g_mkdir(taken, 0700), ==, 0);
  const char *paths[2] = {missing, taken};
  for (guint i = 0; i < 8; i++) {
    g_autoptr(GError) error = NULL;
    const char *path = paths[i & 1];
    gboolean sync = (i & 2) != 0;
    gboolean done = i & 4 ? phantom_write_png(&t, path, sync, &error)
                          : phantom_write_dicom(&t, NULL, path, sync, &error);
    g_assert_false(done);
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
    g_assert_nonnull(strstr(error->message, path));
  }
  g_assert_cmpint(g_rmdir(taken), ==, 0);
  /* Nothing is left behind, and remove_folder() would fail at a folder. */
  g_autoptr(GDir) left = g_dir_open(dir, 0, NULL);
  g_assert_null(g_dir_read_name(left));
  remove_folder(dir);
}

/* ---- stacks ---------------------------------------------------------------------------------- */

static void
test_stack(void)
{
  g_autofree char *dir = scratch();
  g_autoptr(GError) error = NULL;
  PhantomTruth t;
  const guint n = 21;
  g_assert_true(phantom_write_stack(3, n, 128, dir, &t, &error));
  g_assert_no_error(error);
  g_autoptr(DicomScan) scan = dicom_scan(dir, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(scan->series->len, ==, 1);
  g_assert_cmpuint(scan->refused->len, ==, 0);
  const DicomSeries *series = scan->series->pdata[0];
  g_assert_cmpuint(series->items->len, ==, n);
  g_assert_true(series->sorted_by_geometry);
  g_assert_cmpuint(phantom_count(&t, PHANTOM_NODULE, PHANTOM_SIDE_NONE), >, 0);
  for (guint i = 0; i < n; i++) {
    const DicomSeriesItem *item = series->items->pdata[i];
    g_autoptr(DicomFile) file = dicom_file_open(item->path, &error);
    g_assert_no_error(error);
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
    g_assert_no_error(error);
    double z = dicom_file_info(file)->position[2];
    for (guint k = 0; k < t.n_findings; k++) {
      const PhantomFinding *f = &t.findings[k];
      if (f->kind != PHANTOM_NODULE) {
        continue;
      }
      /* Soft tissue within the ball, lung above and below it. */
      double value, off = fabs(z - f->w * 200);
      guint x = (guint)(f->x_mm / t.spacing_mm + 0.5), y = (guint)(f->y_mm / t.spacing_mm + 0.5);
      g_assert_true(dicom_frame_value(frame, x, y, &value));
      if (off < f->r * 200 * 0.8) {
        g_assert_cmpfloat(value, >, -100);
      } else if (off > f->r * 200) {
        g_assert_cmpfloat(value, <, -200);
      }
    }
  }
  remove_folder(dir);
}

static void
test_stack_refused(void)
{
  g_autoptr(GError) error = NULL;
  g_assert_false(phantom_write_stack(3, 0, 64, "/", NULL, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE);
  g_clear_error(&error);
  g_assert_false(phantom_write_stack(3, 1001, 64, "/", NULL, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE);
}

/* ---- dciodvfy -------------------------------------------------------------------------------- */

/* Its report names what the object is, and has no error and no warning. */
static void
check_by_dciodvfy(const char *program, const char *path, const char *object)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  const char *command[] = {program, path, NULL};
  int status;
  g_assert_true(g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err,
                             &status, &error));
  g_assert_no_error(error);
  g_autofree char *report = g_strconcat(out, err, NULL);
  if (strstr(report, "Error") || strstr(report, "Warning") || !strstr(report, object)) {
    g_test_message("%s: %s", path, report);
    g_test_fail();
  }
}

static void
test_valid(void)
{
  g_autofree char *program = g_find_program_in_path("dciodvfy");
  if (!program) {
    g_test_skip("dciodvfy is not installed (Debian: dicom3tools)");
    return;
  }
  g_autofree char *dir = scratch();
  g_autoptr(GError) error = NULL;
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    for (guint64 i = 0; i < 5; i++) {
      g_autofree char *name = g_strdup_printf("%u-%u.dcm", k, (guint)i);
      g_autofree char *path = g_build_filename(dir, name, NULL);
      PhantomTruth t;
      phantom_truth_of_kind(9, i, (PhantomKind)k, &t);
      g_assert_true(phantom_write_dicom(&t, i % 2 ? "A caption." : NULL, path, FALSE, &error));
      g_assert_no_error(error);
      check_by_dciodvfy(program, path, k == PHANTOM_CHEST_CR ? "CRImage" : "CTImage");
    }
  }
  g_assert_true(phantom_write_stack(9, 3, 64, dir, NULL, &error));
  g_assert_no_error(error);
  for (guint i = 1; i <= 3; i++) {
    g_autofree char *name = g_strdup_printf("slice-%04u.dcm", i);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    check_by_dciodvfy(program, path, "CTImage");
  }
  remove_folder(dir);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/phantom/truth", test_truth);
  g_test_add_func("/dicom/phantom/names", test_names);
  g_test_add_func("/dicom/phantom/golden", test_golden);
  g_test_add_func("/dicom/phantom/differs", test_differs);
  g_test_add_func("/dicom/phantom/visible", test_visible);
  g_test_add_func("/dicom/phantom/enlarged", test_enlarged);
  g_test_add_func("/dicom/phantom/round-trip", test_round_trip);
  g_test_add_func("/dicom/phantom/uids", test_uids);
  g_test_add_func("/dicom/phantom/write-failures", test_write_failures);
  g_test_add_func("/dicom/phantom/stack", test_stack);
  g_test_add_func("/dicom/phantom/stack-refused", test_stack_refused);
  g_test_add_func("/dicom/phantom/valid", test_valid);
  return g_test_run();
}
