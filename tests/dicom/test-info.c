/* test-info.c - what the header of each kind of object says. */
#include "build.h"
#include "dicom.h"
#include "dicom/info/info-fields.h"
#include "shared.h"

#include <fcntl.h>
#include <math.h>

static const Shape small = {.rows = 2,
                            .columns = 3,
                            .samples = 1,
                            .bits = 8,
                            .stored = 8,
                            .high = 7,
                            .photometric = "MONOCHROME2",
                            .planar = -1};

static DicomFile *
open_built(Build *b)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = build_write(b, "info.dcm");
  DicomFile *file = dicom_file_open(path, &error);

  g_assert_no_error(error);
  return file;
}

static void
build_image(Build *b, guint frames, guint8 fill)
{
  Shape shape = small;
  g_autofree guint8 *pixels = g_malloc(6 * (gsize)MAX(frames, 1));

  memset(pixels, fill, 6 * (gsize)MAX(frames, 1));
  shape.frames = frames;
  build_shape(b, &shape);
  build_bytes(b, 0x7fe00010, "OB", pixels, 6 * (gsize)MAX(frames, 1));
}

static void
build_code(Build *b, guint32 sequence, const char *meaning)
{
  build_open(b, sequence);
  build_item(b, UNDEFINED);
  build_text(b, 0x00080104, "LO", meaning);
  build_item_end(b);
  build_close(b);
}

static void
test_subject(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080008, "CS", "DERIVED\\SECONDARY\\LOCALIZER");
  build_ids(&b);
  build_text(&b, 0x00080064, "CS", "SYN");
  build_text(&b, 0x00080068, "CS", "FOR PROCESSING");
  build_text(&b, 0x00080070, "LO", "Maker");
  build_text(&b, 0x00081030, "LO", "Thorax, canine");
  build_text(&b, 0x00081090, "LO", "Model");
  build_code(&b, 0x00102202, "homo sapiens");
  build_text(&b, 0x00181114, "DS", "1.25");
  build_text(&b, 0x00181120, "DS", "-12.5");
  build_text(&b, 0x00180081, "DS", "99.5");
  build_text(&b, 0x00180088, "DS", "5.5");
  build_text(&b, 0x00182010, "DS", "0.5\\0.25");
  build_text(&b, 0x00200012, "IS", "4");
  build_text(&b, 0x00200020, "CS", "L\\F");
  build_text(&b, 0x00200100, "IS", "9");
  build_text(&b, 0x00280302, "CS", "YES");
  build_text(&b, 0x00280a02, "CS", "FIDUCIAL");
  build_text(&b, 0x00282112, "DS", "10.5");
  build_text(&b, 0x00282114, "CS", "ISO_10918_1");
  build_image(&b, 0, 7);
  g_autoptr(DicomFile) file = open_built(&b);
  const DicomInfo *info = dicom_file_info(file);
  g_assert_cmpint(info->content, ==, DICOM_CONTENT_IMAGE);
  g_assert_cmpstr(info->content_name, ==, "Secondary Capture Image Storage");
  g_assert_cmpstr(info->image_type, ==, "DERIVED\\SECONDARY\\LOCALIZER");
  g_assert_cmpstr(info->conversion_type, ==, "SYN");
  g_assert_cmpstr(info->presentation_intent, ==, "FOR PROCESSING");
  g_assert_cmpstr(info->manufacturer, ==, "Maker");
  g_assert_cmpstr(info->manufacturer_model, ==, "Model");
  g_assert_cmpstr(info->patient_species, ==, "homo sapiens");
  g_assert_cmpstr(info->animal_hint, ==, "StudyDescription says CANINE");
  g_assert_cmpstr(info->patient_orientation, ==, "L\\F");
  g_assert_cmpstr(info->recognizable_visual_features, ==, "YES");
  g_assert_cmpstr(info->lossy_ratio, ==, "10.5");
  g_assert_cmpstr(info->lossy_method, ==, "ISO_10918_1");
  g_assert_cmpstr(info->spacing_source, ==, "NominalScannedPixelSpacing");
  g_assert_cmpfloat(info->spacing[1], ==, 0.25);
  g_assert_cmpstr(info->spacing_calibration, ==, "FIDUCIAL");
  g_assert_cmpfloat(info->magnification, ==, 1.25);
  g_assert_true(info->has_gantry_tilt);
  g_assert_cmpfloat(info->gantry_tilt, ==, -12.5);
  g_assert_cmpfloat(info->echo_time, ==, 99.5);
  g_assert_cmpfloat(info->spacing_between_slices, ==, 5.5);
  g_assert_cmpint(info->acquisition_number, ==, 4);
  g_assert_cmpint(info->temporal_position, ==, 9);
  g_assert_cmpstr(info->damage, ==, "");
  g_assert_cmpuint(info->planes->len, ==, 0);
}

/* What speaks of an animal, one attribute at a time, and what does not. */
static void
test_animals(void)
{
  static const struct {
    guint32 tag;
    const char *vr, *value, *hint; /* VR "SQ": the meaning of a code */
  } rows[] = {
      {0x00080080, "LO", "Tierklinik Nord", "InstitutionName says TIERKLINIK"},
      {0x00082218, "SQ", "Equine carpus", "AnatomicRegionSequence says EQUINE"},
      {0x00102292, "LO", "Poodle", "PatientBreedDescription is there"},
      {0x00102298, "CS", "OWNER", "ResponsiblePersonRole says OWNER"},
      {0x00102298, "CS", "PARENT", ""},
      {0x00180015, "CS", "CHEST", ""},
      {0x00181030, "LO", "Feline abdomen", "ProtocolName says FELINE"},
      {0x00181030, "LO", "CAT scan of the chest", ""},
      {0x00181400, "LO", "CANINE LATERAL", "AcquisitionDeviceProcessingDescription says CANINE"},
      {0x00400260, "SQ", "dog thorax", "PerformedProtocolCodeSequence says DOG"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(Build) b = {0};

    build_start(&b, TS_EXPLICIT);
    build_ids(&b);
    if (strcmp(rows[i].vr, "SQ") == 0) {
      build_code(&b, rows[i].tag, rows[i].value);
    } else {
      build_text(&b, rows[i].tag, rows[i].vr, rows[i].value);
    }
    build_image(&b, 0, 7);
    g_autoptr(DicomFile) file = open_built(&b);
    g_assert_cmpstr(dicom_file_info(file)->animal_hint, ==, rows[i].hint);
  }
}

static void
build_fd(Build *b, guint32 tag, double value)
{
  build_bytes(b, tag, "FD", &value, 8);
}

static void
build_region(Build *b, guint format, guint units, double dx, double dy)
{
  build_item(b, UNDEFINED);
  build_us(b, 0x00186012, format);
  build_us(b, 0x00186024, units);
  build_us(b, 0x00186026, units);
  build_fd(b, 0x0018602c, dx);
  build_fd(b, 0x0018602e, dy);
  build_item_end(b);
}

/* Two regions of tissue and one of a curve; OTHER: the second has pixels of another size. */
static void
test_ultrasound(void)
{
  for (guint other = 0; other < 2; other++) {
    g_auto(Build) b = {0};

    build_start(&b, TS_EXPLICIT);
    build_ids(&b);
    build_open(&b, 0x00186011);
    build_region(&b, 1, 3, 0.02, -0.03);
    build_region(&b, 3, 4, 7, 7);
    build_region(&b, 1, 3, other ? 0.05 : 0.02, 0.03);
    build_close(&b);
    build_image(&b, 0, 7);
    g_autoptr(DicomFile) file = open_built(&b);
    const DicomInfo *info = dicom_file_info(file);
    g_assert_cmpint(info->has_spacing, ==, !other);
    g_assert_cmpstr(info->spacing_source, ==, other ? "" : "UltrasoundRegion");
    if (!other) {
      /* 0.03 is no binary fraction. */
      g_assert_cmpfloat_with_epsilon(info->spacing[0], 0.3, 1e-12);
      g_assert_cmpfloat_with_epsilon(info->spacing[1], 0.2, 1e-12);
    }
  }
}

static void
test_frame_time(void)
{
  static const struct {
    guint32 tag;
    const char *vr, *value;
    double time;
  } cases[] = {
      {0x00181063, "DS", "40", 40}, {0x00181065, "DS", "0\\30\\50", 40},
      {0x00180040, "IS", "25", 40}, {0x00082144, "IS", "20", 50},
      {0x00181063, "DS", "0", 0},   {0x00181063, "DS", "-3", 0},
      {0x00180040, "IS", "0", 0},   {0x00181065, "DS", "0", 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(Build) b = {0};

    build_start(&b, TS_EXPLICIT);
    build_ids(&b);
    build_text(&b, cases[i].tag, cases[i].vr, cases[i].value);
    build_image(&b, 3, 7);
    g_autoptr(DicomFile) file = open_built(&b);
    g_assert_cmpfloat(dicom_file_info(file)->frame_time_ms, ==, cases[i].time);
  }
}

/* One item of a macro with one text. */
static void
build_macro(Build *b, guint32 macro, guint32 tag, const char *vr, const char *text)
{
  build_open(b, macro);
  build_item(b, UNDEFINED);
  build_text(b, tag, vr, text);
  build_item_end(b);
  build_close(b);
}

static void
test_enhanced(void)
{
  static const char *const stacks[] = {"B", "A", "B"};
  g_auto(Build) b = {0};
  DicomPlane plane;

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4.1");
  Shape shape = small;
  shape.frames = 3;
  build_shape(&b, &shape);
  build_open(&b, 0x52009229);
  build_item(&b, UNDEFINED);
  build_macro(&b, 0x00209116, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
  build_macro(&b, 0x00289110, 0x00280030, "DS", "0.5\\0.75");
  build_item_end(&b);
  build_close(&b);
  build_open(&b, 0x52009230);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *position = g_strdup_printf("1\\2\\%u", i * 3);

    build_item(&b, UNDEFINED);
    build_macro(&b, 0x00209111, 0x00209056, "SH", stacks[i]);
    if (i != 1) {
      build_macro(&b, 0x00209113, 0x00200032, "DS", position);
    }
    build_item_end(&b);
  }
  build_close(&b);
  build_bytes(&b, 0x7fe00010, "OB", "abcdefghijklmnopqr", 18);
  g_autoptr(DicomFile) file = open_built(&b);
  const DicomInfo *info = dicom_file_info(file);
  g_assert_cmpuint(info->planes->len, ==, 3);
  plane = dicom_info_plane(info, 2);
  g_assert_true(plane.has_position && plane.has_orientation && plane.has_spacing);
  g_assert_cmpfloat(plane.position[2], ==, 6);
  g_assert_cmpfloat(plane.orientation[4], ==, 1);
  g_assert_cmpfloat(plane.spacing[1], ==, 0.75);
  g_assert_cmpuint(plane.stack, ==, 1);
  plane = dicom_info_plane(info, 1);
  g_assert_false(plane.has_position);
  g_assert_cmpuint(plane.stack, ==, 2);
  plane = dicom_info_plane(info, 3);
  g_assert_false(plane.has_position || plane.has_orientation || plane.has_spacing);
  g_assert_true(info->has_position);
  g_assert_cmpfloat(info->position[2], ==, 0);
  g_assert_cmpstr(info->spacing_source, ==, "PixelSpacing");
  /* A copy is whole, and its own. */
  g_autoptr(DicomInfo) copy = dicom_info_copy(info);
  for (guint i = 0; i < dicom_info_n_fields; i++) {
    if (dicom_info_fields[i].kind == DICOM_FIELD_TEXT) {
      const char *a = G_STRUCT_MEMBER(char *, info, dicom_info_fields[i].offset);
      const char *c = G_STRUCT_MEMBER(char *, copy, dicom_info_fields[i].offset);

      g_assert_true(a != c);
      g_assert_cmpstr(a, ==, c);
    }
  }
  g_assert_true(copy->planes != info->planes && copy->window_center != info->window_center);
  g_assert_true(copy->referenced_files != info->referenced_files);
  g_assert_cmpuint(copy->planes->len, ==, 3);
  g_assert_cmpfloat(dicom_info_plane(copy, 2).position[2], ==, 6);
}

static void
expect_content(Build *b, DicomContent content, const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = open_built(b);

  g_assert_cmpint(dicom_file_info(file)->content, ==, content);
  g_assert_cmpstr(dicom_file_info(file)->content_name, ==, name);
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
  g_assert_null(frame);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_assert_nonnull(strstr(error->message, "is no image"));
}

static void
test_contents(void)
{
#define SOP "1.2.840.10008.5.1.4.1.1."
  static const struct {
    const char *uid, *name, *word;
    DicomContent content;
  } cases[] = {
      {SOP "88.11", "Basic Text SR Storage", "report", DICOM_CONTENT_REPORT},
      {SOP "88.59", "Key Object Selection Document Storage", "report", DICOM_CONTENT_REPORT},
      {SOP "104.1", "Encapsulated PDF Storage", "pdf", DICOM_CONTENT_PDF},
      {SOP "104.2", "Encapsulated CDA Storage", "other", DICOM_CONTENT_OTHER},
      {SOP "11.1", "Grayscale Softcopy Presentation State Storage", "presentation-state",
       DICOM_CONTENT_PRESENTATION},
      {SOP "481.5", "RT Plan Storage", "radiotherapy", DICOM_CONTENT_RADIOTHERAPY},
      {SOP "9.1.1", "12-lead ECG Waveform Storage", "waveform", DICOM_CONTENT_WAVEFORM},
      {SOP "66", "Raw Data Storage", "other", DICOM_CONTENT_OTHER},
      /* An image's header alone. */
      {SOP "2", "CT Image Storage", "other", DICOM_CONTENT_OTHER},
      {"1.2.3.4", "1.2.3.4", "other", DICOM_CONTENT_OTHER},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(Build) b = {0};

    build_start(&b, TS_EXPLICIT);
    build_text(&b, 0x00080016, "UI", cases[i].uid);
    build_text(&b, 0x00080060, "CS", "OT");
    expect_content(&b, cases[i].content, cases[i].name);
    g_assert_cmpstr(dicom_content_name(cases[i].content), ==, cases[i].word);
  }
  g_assert_cmpstr(dicom_content_name(DICOM_CONTENT_IMAGE), ==, "image");
  g_assert_cmpstr(dicom_content_name(DICOM_CONTENT_DIRECTORY), ==, "directory");
#undef SOP
}

/* A private class with pixels is an image. */
static void
test_private_image(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.3.4");
  build_image(&b, 0, 7);
  g_autoptr(DicomFile) file = open_built(&b);
  g_assert_cmpint(dicom_file_info(file)->content, ==, DICOM_CONTENT_IMAGE);
  g_assert_cmpstr(dicom_file_info(file)->content_name, ==, "1.2.3.4");
}

static void
test_directory(void)
{
  static const char *const ids[] = {"IMAGES\\CT\\1", "..\\secret", "A\\.\\B",
                                    "A\\\\B",        "A\\b/c",     "X"};
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  g_byte_array_set_size(b.bytes, 132);
  build_bytes(&b, 0x00020002, "UI", "1.2.840.10008.1.3.10\0", 20);
  build_bytes(&b, 0x00020010, "UI", TS_EXPLICIT, strlen(TS_EXPLICIT));
  build_open(&b, 0x00041220);
  for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
    build_item(&b, UNDEFINED);
    build_text(&b, 0x00041500, "CS", ids[i]);
    build_item_end(&b);
  }
  build_item(&b, UNDEFINED);
  build_text(&b, 0x00041430, "CS", "PATIENT");
  build_item_end(&b);
  build_close(&b);
  g_autoptr(DicomFile) file = open_built(&b);
  const DicomInfo *info = dicom_file_info(file);
  g_assert_cmpint(info->content, ==, DICOM_CONTENT_DIRECTORY);
  g_assert_cmpuint(info->referenced_files->len, ==, 2);
  g_assert_cmpstr(info->referenced_files->pdata[0], ==, "IMAGES/CT/1");
  g_assert_cmpstr(info->referenced_files->pdata[1], ==, "X");
}

static void
build_uid_list(Build *b, guint32 sequence, const char *a, const char *c)
{
  build_open(b, sequence);
  build_item(b, UNDEFINED);
  build_text(b, 0x00081155, "UI", a);
  build_item_end(b);
  build_item(b, UNDEFINED);
  build_text(b, 0x00081155, "UI", c);
  build_item_end(b);
  build_close(b);
}

static void
test_references(void)
{
  g_auto(Build) b = {0};
  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.11.1");
  build_open(&b, 0x00081115);
  build_item(&b, UNDEFINED);
  build_uid_list(&b, 0x00081140, "1.2", "1.3");
  build_item_end(&b);
  build_close(&b);
  build_text(&b, 0x00700080, "CS", "LABEL");
  build_text(&b, 0x00700081, "LO", "What it is");
  g_autoptr(DicomFile) state = open_built(&b);
  const DicomInfo *info = dicom_file_info(state);
  g_assert_cmpuint(info->referenced_instances->len, ==, 2);
  g_assert_cmpstr(info->referenced_instances->pdata[1], ==, "1.3");
  g_assert_cmpstr(info->content_label, ==, "LABEL");
  g_assert_cmpstr(info->content_description, ==, "What it is");

  g_auto(Build) c = {0};
  build_start(&c, TS_EXPLICIT);
  build_text(&c, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.59");
  build_code(&c, 0x0040a043, "Of Interest");
  build_open(&c, 0x0040a375);
  build_item(&c, UNDEFINED);
  build_open(&c, 0x00081115);
  build_item(&c, UNDEFINED);
  build_uid_list(&c, 0x00081199, "1.4", "1.5");
  build_item_end(&c);
  build_close(&c);
  build_item_end(&c);
  build_close(&c);
  g_autoptr(DicomFile) key = open_built(&c);
  info = dicom_file_info(key);
  g_assert_cmpuint(info->referenced_instances->len, ==, 2);
  g_assert_cmpstr(info->referenced_instances->pdata[0], ==, "1.4");
  g_assert_cmpstr(info->document_title, ==, "Of Interest");
}

static void
test_damage(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_image(&b, 0, 7);
  g_byte_array_append(b.bytes, (const guint8 *)"\0\0\0\0\0\0\0\0\0\0\0\0", 12);
  g_autoptr(DicomFile) file = open_built(&b);
  g_assert_cmpstr(dicom_file_info(file)->damage, ==,
                  "12 bytes behind the pixels are no data elements");
}

/* By descriptor, the path serves for names alone. */
static void
test_descriptor(void)
{
  g_auto(Build) b = {0};
  g_autoptr(GError) error = NULL;
  gsize n;

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_image(&b, 0, 7);
  g_autofree char *path = build_write(&b, "descriptor.dcm");
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  g_unlink(path);
  g_autoptr(DicomFile) file = dicom_file_open_fd(fd, "NAME", &error);
  g_assert_no_error(error);
  g_assert_cmpstr(dicom_file_info(file)->path, ==, "NAME");
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpint(dicom_frame_stored(frame, &n)[5], ==, 7);
  g_autoptr(DicomFile) none = dicom_file_open_fd(open("/", O_RDONLY | O_CLOEXEC), "NAME", &error);
  g_assert_null(none);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
}

static void
test_gzip(void)
{
  g_autofree char *path = build_write_bytes("packed", "\x1f\x8b\x08\0\0\0\0\0\0\0", 10);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  g_assert_null(file);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "gzip"));
}

/* Facts of real objects, looked up with pydicom. */
static void
test_corpus(void)
{
  g_autofree char *folder = shared_path("corpus/dicom");
  g_autoptr(GError) error = NULL;

  if (!folder) {
    return;
  }
  g_autofree char *dog =
      g_build_filename(folder, "cxr-dicom/DX_thorax_fuji_mono1_8bit_small.dcm", NULL);
  g_autoptr(DicomFile) animal = dicom_file_open(dog, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(dicom_file_info(animal)->animal_hint, ==,
                  "AcquisitionDeviceProcessingDescription says CANINE");
  g_autofree char *list = g_build_filename(folder, "dicomdir/DICOMDIR", NULL);
  g_autoptr(DicomFile) directory = dicom_file_open(list, &error);
  g_assert_no_error(error);
  const DicomInfo *info = dicom_file_info(directory);
  g_assert_cmpint(info->content, ==, DICOM_CONTENT_DIRECTORY);
  g_assert_cmpuint(info->referenced_files->len, ==, 31);
  g_assert_cmpstr(info->referenced_files->pdata[0], ==, "77654033/CR1/6154");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/info/subject", test_subject);
  g_test_add_func("/dicom/info/animals", test_animals);
  g_test_add_func("/dicom/info/ultrasound", test_ultrasound);
  g_test_add_func("/dicom/info/frame-time", test_frame_time);
  g_test_add_func("/dicom/info/enhanced", test_enhanced);
  g_test_add_func("/dicom/info/contents", test_contents);
  g_test_add_func("/dicom/info/private-image", test_private_image);
  g_test_add_func("/dicom/info/directory", test_directory);
  g_test_add_func("/dicom/info/references", test_references);
  g_test_add_func("/dicom/info/damage", test_damage);
  g_test_add_func("/dicom/info/descriptor", test_descriptor);
  g_test_add_func("/dicom/info/gzip", test_gzip);
  g_test_add_func("/dicom/info/corpus", test_corpus);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
