/* phantom-dicom.c - phantoms as DICOM objects: CR Image Storage (PS3.3 A.2) and CT Image Storage
 * (A.3), with the modules that they must have. */
#include "phantom-private.h"

#include <math.h>
#include <string.h>

#include "dicom/bridge/write.h"

#define CR_STORAGE "1.2.840.10008.5.1.4.1.1.1"
#define CT_STORAGE "1.2.840.10008.5.1.4.1.1.2"

/* Attributes in the order in which they are added; DCMTK sorts them. */
typedef struct {
  GArray *values;   /* of DicomBridgeValue */
  GPtrArray *texts; /* owned strings behind them */
} Attributes;

static void
add(Attributes *attributes, guint32 tag, const char *value)
{
  g_ptr_array_add(attributes->texts, g_strdup(value));
  DicomBridgeValue entry = {tag, attributes->texts->pdata[attributes->texts->len - 1]};
  g_array_append_val(attributes->values, entry);
}

static void G_GNUC_PRINTF(3, 4) addf(Attributes *attributes, guint32 tag, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *value = g_strdup_vprintf(format, args);
  va_end(args);
  add(attributes, tag, value);
}

/* N decimal strings of at most 16 characters (PS3.5 6.2, DS), the same in every locale. */
static void
add_decimals(Attributes *attributes, guint32 tag, const double *values, guint n)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < n; i++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(number, sizeof number, "%.8g", values[i] == 0 ? 0 : values[i]);
    g_string_append_printf(text, "%s%s", i ? "\\" : "", number);
  }
  add(attributes, tag, text->str);
}

typedef struct {
  guint number;        /* of the slice, from 1 */
  guint of;            /* how many; 0: not a stack */
  double thickness, z; /* mm */
} Slice;

/* 2.25.<128 bits in decimal> (PS3.5 B.2): a hash of what makes the object differ from others. */
static void
add_uid(Attributes *attributes, guint32 tag, const PhantomTruth *t, const Slice *slice,
        guint64 what)
{
  guint64 hash[2];
  char digits[48];
  gsize at = sizeof digits - 1;
  what |= (guint64)t->kind << 16 | (guint64)t->rows << 24 | (guint64)slice->of << 40;
  phantom_hash(t->seed, t->index, what, hash);
  unsigned __int128 rest = ((unsigned __int128)hash[0] << 64) | hash[1];
  digits[at] = 0;
  do {
    digits[--at] = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest);
  addf(attributes, tag, "2.25.%s", digits + at);
}

/* What the UIDs are hashes of, besides seed and index. */
enum { UID_STUDY = 1, UID_SERIES, UID_FRAME, UID_INSTANCE = 1024 };

static void
add_patient_and_study(Attributes *a, const PhantomTruth *t, const Slice *slice)
{
  add(a, 0x00080005, "ISO_IR 192");
  /* The region, and a number that people can read. */
  addf(a, 0x00100010, "PHANTOM^%s^%06u", t->body_part, (guint)(t->index % 1000000));
  addf(a, 0x00100020, "PHANTOM-%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, t->seed % 100000000,
       t->index);
  add(a, 0x00100030, "");
  add(a, 0x00100040, "O");
  add(a, 0x00104000, "Synthetic phantom. No patient.");
  add_uid(a, 0x0020000d, t, slice, UID_STUDY);
  add(a, 0x00080020, "20000101");
  add(a, 0x00080030, "120000");
  add(a, 0x00080050, "");
  add(a, 0x00080090, "");
  addf(a, 0x00200010, "%u", (guint)(t->index % 1000000));
  addf(a, 0x00081030, "Phantom: %s %s", t->body_part, t->modality);
  add(a, 0x00120062, "YES");
  add(a, 0x00120063, "Drawn by a program");
}

static void
add_series_and_equipment(Attributes *a, const PhantomTruth *t, const Slice *slice)
{
  add(a, 0x00080060, t->modality);
  add_uid(a, 0x0020000e, t, slice, UID_SERIES);
  add(a, 0x00200011, "1");
  addf(a, 0x0008103e, "Phantom: %s", phantom_kind_name(t->kind));
  add(a, 0x00180015, t->body_part);
  add(a, 0x00080070, "Hilum");
  add(a, 0x00081090, "Phantom");
  add(a, 0x00181020, "1");
  add(a, 0x00280301, "NO");
}

static void
add_pixel_module(Attributes *a, const PhantomTruth *t)
{
  add(a, 0x00280002, "1");
  add(a, 0x00280004, t->monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
  addf(a, 0x00280010, "%u", t->rows);
  addf(a, 0x00280011, "%u", t->columns);
  add(a, 0x00280100, "16");
  add(a, 0x00280101, "12");
  add(a, 0x00280102, "11");
  add(a, 0x00280103, "0");
  double center = phantom_stored_center(t);
  add_decimals(a, 0x00281050, &center, 1);
  add_decimals(a, 0x00281051, &t->window_width, 1);
}

static void
add_cr(Attributes *a, const PhantomTruth *t)
{
  double spacing[2] = {t->spacing_mm, t->spacing_mm};
  add(a, 0x00080016, CR_STORAGE);
  add(a, 0x00080008, "ORIGINAL\\PRIMARY");
  add(a, 0x00185101, t->view);
  add(a, 0x00200020, "L\\F");
  add(a, 0x00200062, "U");
  add_decimals(a, 0x00181164, spacing, 2);
  add(a, 0x00180060, "");
}

static void
add_ct(Attributes *a, const PhantomTruth *t, const Slice *slice)
{
  /* A head-first supine patient: columns run to the left, rows to the back. The field of view is
   * centred at the origin. */
  double corner = -t->spacing_mm * (t->columns - 1) / 2;
  double position[3] = {corner, corner, slice->z};
  double orientation[6] = {1, 0, 0, 0, 1, 0};
  double spacing[2] = {t->spacing_mm, t->spacing_mm};
  add(a, 0x00080016, CT_STORAGE);
  add(a, 0x00080008, "ORIGINAL\\PRIMARY\\AXIAL");
  add_uid(a, 0x00200052, t, slice, UID_FRAME);
  add(a, 0x00201040, "");
  add(a, 0x00185100, "HFS");
  add_decimals(a, 0x00200032, position, 3);
  add_decimals(a, 0x00200037, orientation, 6);
  add_decimals(a, 0x00280030, spacing, 2);
  add_decimals(a, 0x00180050, &slice->thickness, 1);
  add_decimals(a, 0x00201041, &slice->z, 1);
  add(a, 0x00180060, "120");
  add(a, 0x00200012, "1");
  add(a, 0x00281052, "-1024");
  add(a, 0x00281053, "1");
  add(a, 0x00281054, "HU");
}

static gboolean
write_object(const PhantomTruth *t, const Slice *slice, const char *comments, const char *path,
             gboolean sync, GError **error)
{
  g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(DicomBridgeValue));
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  Attributes a = {values, texts};
  add_patient_and_study(&a, t, slice);
  add_series_and_equipment(&a, t, slice);
  add_uid(&a, 0x00080018, t, slice, UID_INSTANCE + slice->number);
  addf(&a, 0x00200013, "%u", slice->number);
  if (comments) {
    add(&a, 0x00204000, comments);
  }
  if (t->kind == PHANTOM_CHEST_CR) {
    add_cr(&a, t);
  } else {
    add_ct(&a, t, slice);
  }
  add_pixel_module(&a, t);
  g_autoptr(DicomFrame) frame = phantom_frame(t);
  gsize n_bytes;
  const guint8 *bytes = dicom_frame_stored(frame, &n_bytes);
  g_autofree guint16 *pixels = g_new(guint16, n_bytes / 2);
  for (gsize i = 0; i < n_bytes / 2; i++) {
    pixels[i] = (guint16)(bytes[2 * i] | bytes[2 * i + 1] << 8);
  }
  return dicom_bridge_write(path, (const DicomBridgeValue *)values->data, values->len, pixels,
                            n_bytes / 2, sync, error);
}

gboolean
phantom_write_dicom(const PhantomTruth *truth, const char *comments, const char *path,
                    gboolean sync, GError **error)
{
  Slice slice = {.number = 1, .thickness = 5};
  return write_object(truth, &slice, comments, path, sync, error);
}

#define SLICE_MM 5.0

/* Places the nodules of a chest at heights within the stack. Half a millimetre off the slices'
 * planes is not needed: a ball is cut wherever the plane meets it. */
static void
spread_over(PhantomTruth *truth, guint n_slices)
{
  PhantomRandom random;
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_TRUTH + 512);
  /* Frame units: 1 is half the field of view, 200 mm. The middle half of the stack holds the balls.
   */
  double reach = SLICE_MM * (n_slices - 1) / 2 / 200 / 2;
  for (guint i = 0; i < truth->n_findings; i++) {
    if (truth->findings[i].kind == PHANTOM_NODULE) {
      truth->findings[i].w = phantom_random_range(&random, -reach, reach);
    }
  }
}

gboolean
phantom_write_stack(guint64 seed, guint n_slices, guint size, const char *dir, PhantomTruth *truth,
                    GError **error)
{
  PhantomTruth stack;
  if (n_slices < 1 || n_slices > 1000) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
                "a stack of %u slices was asked for; expected 1 to 1000", n_slices);
    return FALSE;
  }
  /* The first study of the seed that has a nodule. */
  for (guint64 index = 0;; index++) {
    phantom_truth_of_kind(seed, index, PHANTOM_CHEST_CT, &stack);
    if (phantom_count(&stack, PHANTOM_NODULE, PHANTOM_SIDE_NONE) > 0) {
      break;
    }
  }
  phantom_resize(&stack, size);
  spread_over(&stack, n_slices);
  for (guint i = 0; i < n_slices; i++) {
    PhantomTruth slice_truth = stack;
    /* Slices are numbered from the feet up; z grows towards the head (PS3.3 C.7.6.2.1.1). */
    slice_truth.slice_mm = SLICE_MM * (i - (n_slices - 1) / 2.0);
    Slice slice = {
        .number = i + 1, .of = n_slices, .thickness = SLICE_MM, .z = slice_truth.slice_mm};
    g_autofree char *name = g_strdup_printf("slice-%04u.dcm", i + 1);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    if (!write_object(&slice_truth, &slice, NULL, path, TRUE, error)) {
      return FALSE;
    }
  }
  if (truth) {
    *truth = stack;
  }
  return TRUE;
}
