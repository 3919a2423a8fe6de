/* test-bridge.c - DCMTK behind its C headers: names, a dictionary that is not there, silence. */
#include "dicom.h"
#include "dicom/bridge/dictionary.h"
#include "dicom/bridge/write.h"

static void
test_names(void)
{
  const char *keyword = NULL;
  char vr[3];

  g_assert_true(dicom_bridge_attribute(0x00100010, vr, &keyword));
  g_assert_cmpstr(keyword, ==, "PatientName");
  g_assert_cmpstr(vr, ==, "PN");
  g_assert_true(dicom_bridge_attribute(0x00080001, vr, &keyword));
  g_assert_cmpstr(keyword, ==, "LengthToEnd"); /* retired */
  g_assert_false(dicom_bridge_attribute(0x00090010, vr, &keyword));
  g_assert_false(dicom_bridge_attribute(0x00080000, vr, &keyword));
  g_assert_true(dicom_bridge_uid_is_standard("1.2.840.10008.5.1.4.1.1.2"));
  g_assert_false(dicom_bridge_uid_is_standard("1.2.840.10008.99.99"));
  g_assert_false(dicom_bridge_uid_is_standard("1.2.3.4.5"));
}

/* The environment may name a dictionary that is not there; and DCMTK says nothing of it. */
static void
test_dictionary(void)
{
  if (g_test_subprocess()) {
    const char *keyword;
    char vr[3];

    g_setenv("DCMDICTPATH", "/nowhere/dicom.dic", TRUE);
    g_assert_true(dicom_bridge_attribute(0x00100010, vr, &keyword));
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("");
}

/* DCMTK prints nothing, though it has much to say about a folder that is not there. */
static void
test_silence(void)
{
  if (g_test_subprocess()) {
    const DicomBridgeValue values[] = {{0x00080016, "1.2.840.10008.5.1.4.1.1.7"},
                                       {0x00080018, "1.2.3.4"}};
    const guint16 pixels[4] = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(dicom_bridge_write("/nowhere/at-all.dcm", values, 2, pixels, 4, TRUE, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/bridge/names", test_names);
  g_test_add_func("/dicom/bridge/dictionary", test_dictionary);
  g_test_add_func("/dicom/bridge/silence", test_silence);
  return g_test_run();
}
