/* test-desktop-widgets.c - resampling, the viewer, the rows of a conversation. */
#include <adwaita.h>
#include <string.h>

#include "conversation/conversation.h"
#include "viewer/resample.h"
#include "viewer/viewer.h"

/* ---- resampling --------------------------------------------------------------------------- */

static void
check_pixel(guint32 pixel, int r, int g, int b)
{
  g_assert_cmpint(pixel >> 24, ==, 255);
  g_assert_cmpint(pixel >> 16 & 255, ==, r);
  g_assert_cmpint(pixel >> 8 & 255, ==, g);
  g_assert_cmpint(pixel & 255, ==, b);
}

static void
test_nearest(void)
{
  const guint8 rgb[] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};
  guint32 out[6 * 4];

  desktop_resample(rgb, 2, 2, DESKTOP_FILTER_NEAREST, out, 6, 4);
  for (int y = 0; y < 4; y++) {
    for (int x = 0; x < 6; x++) {
      const guint8 *p = rgb + 3 * (2 * (y / 2) + x / 3);
      check_pixel(out[6 * y + x], p[0], p[1], p[2]);
    }
  }
}

/* Against the formula in double precision; 1 for the two roundings (to 1/256 of a share, to 8
 * bits). */
static void
test_bilinear(void)
{
  guint8 rgb[7 * 5 * 3];
  guint32 out[13 * 11];

  for (guint i = 0; i < sizeof rgb; i++) {
    rgb[i] = (guint8)(i * 37 % 251);
  }
  desktop_resample(rgb, 7, 5, DESKTOP_FILTER_SMOOTH, out, 13, 11);
  for (int y = 0; y < 11; y++) {
    for (int x = 0; x < 13; x++) {
      double sx = CLAMP((x + 0.5) * 7 / 13 - 0.5, 0, 6), sy = CLAMP((y + 0.5) * 5 / 11 - 0.5, 0, 4);
      int x0 = (int)sx, y0 = (int)sy, x1 = MIN(x0 + 1, 6), y1 = MIN(y0 + 1, 4);
      double fx = sx - x0, fy = sy - y0;
      for (int c = 0; c < 3; c++) {
        double top = rgb[(y0 * 7 + x0) * 3 + c] * (1 - fx) + rgb[(y0 * 7 + x1) * 3 + c] * fx;
        double bottom = rgb[(y1 * 7 + x0) * 3 + c] * (1 - fx) + rgb[(y1 * 7 + x1) * 3 + c] * fx;
        double expected = top * (1 - fy) + bottom * fy;
        g_assert_cmpfloat_with_epsilon((double)(out[13 * y + x] >> (16 - 8 * c) & 255), expected,
                                       1.0);
      }
    }
  }
}

static void
test_boxes(void)
{
  guint8 rgb[9 * 6 * 3];
  guint32 out[3 * 2];

  for (guint i = 0; i < sizeof rgb; i++) {
    rgb[i] = (guint8)(i * 53 % 256);
  }
  desktop_resample(rgb, 9, 6, DESKTOP_FILTER_SMOOTH, out, 3, 2);
  for (int y = 0; y < 2; y++) {
    for (int x = 0; x < 3; x++) {
      int sums[3] = {0};
      for (int i = 0; i < 9; i++) {
        for (int c = 0; c < 3; c++) {
          sums[c] += rgb[((3 * y + i / 3) * 9 + 3 * x + i % 3) * 3 + c];
        }
      }
      check_pixel(out[3 * y + x], (sums[0] * 2 + 9) / 18, (sums[1] * 2 + 9) / 18,
                  (sums[2] * 2 + 9) / 18);
    }
  }
}

/* Every pair of small sizes: no pixel is left out and none is read outside, which the sanitised
 * build sees; a picture of one colour stays so. */
static void
test_sizes(void)
{
  for (guint w = 1; w <= 9; w++) {
    for (guint h = 1; h <= 9; h += 2) {
      g_autofree guint8 *rgb = g_malloc((gsize)w * h * 3);
      memset(rgb, 77, (gsize)w * h * 3);
      for (guint n = 1; n <= 20; n++) {
        for (guint f = 0; f <= 1; f++) {
          g_autofree guint32 *out = g_new0(guint32, (gsize)n * (21 - n));
          desktop_resample(rgb, w, h, f ? DESKTOP_FILTER_SMOOTH : DESKTOP_FILTER_NEAREST, out, n,
                           21 - n);
          for (guint i = 0; i < n * (21 - n); i++) {
            check_pixel(out[i], 77, 77, 77);
          }
        }
      }
    }
  }
}

/* ---- viewer ------------------------------------------------------------------------------- */

static AppView *
view_new(guint width, guint height, gboolean is_colour)
{
  AppView *view = g_new0(AppView, 1);

  view->picture = g_new0(AppPicture, 1);
  *view->picture = (AppPicture){width, height, g_malloc((gsize)width * height * 3)};
  for (gsize i = 0; i < (gsize)width * height; i++) {
    view->picture->pixels[3 * i] = (guint8)(40 + i);
    view->picture->pixels[3 * i + 1] = (guint8)(80 + i);
    view->picture->pixels[3 * i + 2] = (guint8)(120 + i);
  }
  view->path = g_strdup("x.dcm");
  view->label = g_strdup("CT 2/3");
  view->is_colour = is_colour;
  if (!is_colour) {
    view->window = (AppWindow){TRUE, 40, 400};
    view->low = -1000;
    view->high = 3000;
  }
  return view;
}

static DesktopViewer *
viewer_new(AppView *view)
{
  DesktopViewer *viewer = g_object_ref_sink(g_object_new(DESKTOP_TYPE_VIEWER, NULL));

  desktop_viewer_take_view(viewer, view);
  return viewer;
}

/* What the viewer draws at WIDTH x HEIGHT, on a background that is not its own. */
static cairo_surface_t *
draw(DesktopViewer *viewer, int width, int height)
{
  cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create(surface);
  GtkSnapshot *snapshot = gtk_snapshot_new();
  GskRenderNode *node;

  gtk_widget_measure(GTK_WIDGET(viewer), GTK_ORIENTATION_HORIZONTAL, -1, NULL, NULL, NULL, NULL);
  gtk_widget_allocate(GTK_WIDGET(viewer), width, height, -1, NULL);
  GTK_WIDGET_GET_CLASS(viewer)->snapshot(GTK_WIDGET(viewer), snapshot);
  node = gtk_snapshot_free_to_node(snapshot);
  cairo_set_source_rgb(cr, 1, 0, 0);
  cairo_paint(cr);
  gsk_render_node_draw(node, cr);
  gsk_render_node_unref(node);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
  return surface;
}

static guint32
drawn(cairo_surface_t *surface, int x, int y)
{
  const unsigned char *row =
      cairo_image_surface_get_data(surface) + y * cairo_image_surface_get_stride(surface);
  guint32 pixel;

  memcpy(&pixel, row + 4 * x, 4);
  return pixel | 0xff000000u;
}

static void
test_picture(void)
{
  g_autoptr(DesktopViewer) viewer = viewer_new(view_new(2, 3, FALSE));
  cairo_surface_t *surface;

  desktop_viewer_set_filter(viewer, DESKTOP_FILTER_NEAREST);
  /* 2 x 3 in 400 x 300: 200 x 300 in the middle, each pixel 100 x 100, black beside it. */
  surface = draw(viewer, 400, 300);
  check_pixel(drawn(surface, 99, 150), 0, 0, 0);
  check_pixel(drawn(surface, 300, 150), 0, 0, 0);
  check_pixel(drawn(surface, 100, 0), 40, 80, 120);
  check_pixel(drawn(surface, 199, 99), 40, 80, 120);
  check_pixel(drawn(surface, 200, 99), 41, 81, 121);
  check_pixel(drawn(surface, 199, 100), 42, 82, 122);
  check_pixel(drawn(surface, 299, 299), 45, 85, 125);
  cairo_surface_destroy(surface);
  /* Another size, another picture, none at all. */
  surface = draw(viewer, 200, 600);
  check_pixel(drawn(surface, 100, 149), 0, 0, 0);
  check_pixel(drawn(surface, 0, 150), 40, 80, 120);
  cairo_surface_destroy(surface);
  desktop_viewer_take_view(viewer, view_new(1, 1, TRUE));
  surface = draw(viewer, 300, 200);
  check_pixel(drawn(surface, 49, 0), 0, 0, 0);
  check_pixel(drawn(surface, 50, 0), 40, 80, 120);
  cairo_surface_destroy(surface);
  desktop_viewer_take_view(viewer, NULL);
  surface = draw(viewer, 300, 200);
  check_pixel(drawn(surface, 150, 100), 0, 0, 0);
  cairo_surface_destroy(surface);
}

static gpointer
controller_of(DesktopViewer *viewer, GType type)
{
  g_autoptr(GListModel) all = gtk_widget_observe_controllers(GTK_WIDGET(viewer));

  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GObject) controller = g_list_model_get_item(all, i);
    if (g_type_is_a(G_OBJECT_TYPE(controller), type)) {
      return controller; /* the widget holds it */
    }
  }
  g_assert_not_reached();
}

typedef struct {
  guint n_changed, n_reset;
  double center, width;
  gint64 steps;
  int last_step;
} Heard;

static void
hear_window(DesktopViewer *viewer, double center, double width, Heard *heard)
{
  heard->n_changed++;
  heard->center = center;
  heard->width = width;
}

static void
hear_reset(DesktopViewer *viewer, Heard *heard)
{
  heard->n_reset++;
}

static void
hear_step(DesktopViewer *viewer, int steps, Heard *heard)
{
  heard->steps += steps;
  heard->last_step = steps;
}

static void
listen(DesktopViewer *viewer, Heard *heard)
{
  g_signal_connect(viewer, "window-changed", G_CALLBACK(hear_window), heard);
  g_signal_connect(viewer, "window-reset", G_CALLBACK(hear_reset), heard);
  g_signal_connect(viewer, "step", G_CALLBACK(hear_step), heard);
}

static void
test_drag(void)
{
  g_autoptr(DesktopViewer) viewer = viewer_new(view_new(2, 3, FALSE));
  gpointer drag = controller_of(viewer, GTK_TYPE_GESTURE_DRAG);
  Heard heard = {0};

  listen(viewer, &heard);
  g_signal_emit_by_name(drag, "drag-begin", 10.0, 10.0);
  g_signal_emit_by_name(drag, "drag-update", 1.0, 1.0);
  g_assert_cmpuint(heard.n_changed, ==, 0); /* a trembling hand */
  /* The range of 4000 along 1000 pixels: 4 to a pixel. */
  g_signal_emit_by_name(drag, "drag-update", 50.0, 0.0);
  g_assert_cmpfloat(heard.center, ==, 40);
  g_assert_cmpfloat(heard.width, ==, 600);
  g_signal_emit_by_name(drag, "drag-update", 0.0, -25.0);
  g_assert_cmpfloat(heard.center, ==, -60);
  g_assert_cmpfloat(heard.width, ==, 400);
  /* A late view, of the window at the start, neither moves the start nor passes for what was asked
   * for last: back at the start, the start is asked for again. */
  desktop_viewer_take_view(viewer, view_new(2, 3, FALSE));
  g_signal_emit_by_name(drag, "drag-update", 0.0, 0.0);
  g_assert_cmpfloat(heard.center, ==, 40);
  g_assert_cmpfloat(heard.width, ==, 400);
  g_signal_emit_by_name(drag, "drag-update", -5000.0, 0.0);
  g_assert_cmpfloat(heard.width, ==, 1);
  g_signal_emit_by_name(drag, "drag-update", 0.0, 1e9);
  g_assert_cmpfloat(heard.center, ==, 7000); /* no further than the range beyond its end */
  g_signal_emit_by_name(drag, "drag-end", 0.0, 0.0);
  heard.n_changed = 0;
  g_signal_emit_by_name(drag, "drag-update", 60.0, 60.0);
  g_assert_cmpuint(heard.n_changed, ==, 0);
  /* Colour has no window. */
  desktop_viewer_take_view(viewer, view_new(2, 3, TRUE));
  g_signal_emit_by_name(drag, "drag-begin", 10.0, 10.0);
  g_signal_emit_by_name(drag, "drag-update", 60.0, 60.0);
  g_signal_emit_by_name(drag, "drag-end", 60.0, 60.0);
  desktop_viewer_take_view(viewer, NULL);
  g_signal_emit_by_name(drag, "drag-begin", 10.0, 10.0);
  g_signal_emit_by_name(drag, "drag-update", 60.0, 60.0);
  g_assert_cmpuint(heard.n_changed, ==, 0);
}

static void
test_hands(void)
{
  g_autoptr(DesktopViewer) viewer = viewer_new(view_new(2, 3, FALSE));
  gpointer scroll = controller_of(viewer, GTK_TYPE_EVENT_CONTROLLER_SCROLL);
  gpointer click = controller_of(viewer, GTK_TYPE_GESTURE_CLICK);
  Heard heard = {0};
  gboolean stopped;

  listen(viewer, &heard);
  g_signal_emit_by_name(scroll, "scroll", 0.0, 1.0, &stopped);
  g_assert_cmpint(heard.steps, ==, 1);
  g_signal_emit_by_name(scroll, "scroll", 0.0, -2.0, &stopped);
  g_assert_cmpint(heard.steps, ==, -1);
  for (int i = 0; i < 4; i++) { /* a touchpad moves in parts */
    g_signal_emit_by_name(scroll, "scroll", 0.0, 0.25, &stopped);
  }
  g_assert_cmpint(heard.steps, ==, 0);
  g_signal_emit_by_name(click, "pressed", 1, 5.0, 5.0);
  g_assert_cmpuint(heard.n_reset, ==, 0);
  g_signal_emit_by_name(click, "pressed", 2, 5.0, 5.0);
  g_assert_cmpuint(heard.n_reset, ==, 1);
  g_signal_emit_by_name(viewer, "nudge", 1, 0);
  g_assert_cmpfloat(heard.width, ==, 431); /* 400 + 4000 / 128, whole */
  g_assert_cmpfloat(heard.center, ==, 40);
}

/* The picture has a text twin. */
static void
test_description(void)
{
  g_autoptr(DesktopViewer) viewer = viewer_new(NULL);

  gtk_test_accessible_assert_role(viewer, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_property(viewer, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      "No image is shown");
  desktop_viewer_take_view(viewer, view_new(2, 3, FALSE));
  gtk_test_accessible_assert_property(viewer, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      "CT 2/3, window C 40  W 400, 2 by 3 pixels");
  desktop_viewer_take_view(viewer, view_new(2, 3, TRUE));
  gtk_test_accessible_assert_property(viewer, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      "CT 2/3, 2 by 3 pixels");
}

static void
test_window_text(void)
{
  AppView *view = view_new(1, 1, FALSE);
  g_autofree char *plain = NULL, *table = NULL, *none = desktop_viewer_window_text(NULL);

  view->window = (AppWindow){TRUE, -600.5, 1500};
  plain = desktop_viewer_window_text(view);
  g_assert_cmpstr(plain, ==, "C \u2212600.5  W 1500");
  view->window.set = FALSE;
  table = desktop_viewer_window_text(view);
  g_assert_cmpstr(table, ==, "Window from the file's table");
  g_assert_cmpstr(none, ==, "");
  app_view_free(view);
}

/* ---- conversation ------------------------------------------------------------------------- */

static void
test_row_text(void)
{
  g_autoptr(GtkWidget) widget = g_object_ref_sink(desktop_turn_row_new("Why?", "CT 2/3"));
  DesktopTurnRow *row = DESKTOP_TURN_ROW(widget);

  desktop_turn_row_set_phase(row, "image", 1, 2);
  desktop_turn_row_set_phase(row, "image", 0, 0);
  desktop_turn_row_set_phase(row, "prompt", 0, 0);
  desktop_turn_row_append(row, "a\xe2\x82", 3); /* two thirds of a euro sign */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a");
  desktop_turn_row_append(row, "\xac!", 2);
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a\u20ac!");
  desktop_turn_row_append(row, "\xff\xff\xff\xff<b>", 7); /* never a character, and no markup */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a\u20ac!\ufffd\ufffd\ufffd\ufffd<b>");
}

static void
count_asked(DesktopConversation *conversation, const char *question, GString *heard)
{
  g_string_append_printf(heard, "%s;", question);
}

static void
test_asking(void)
{
  g_autoptr(GtkWidget) widget = g_object_ref_sink(g_object_new(DESKTOP_TYPE_CONVERSATION, NULL));
  DesktopConversation *conversation = DESKTOP_CONVERSATION(widget);
  GtkEditable *entry = desktop_conversation_get_entry(conversation);
  g_autoptr(GString) heard = g_string_new(NULL);

  g_signal_connect(conversation, "ask", G_CALLBACK(count_asked), heard);
  gtk_editable_set_text(entry, "too early");
  g_signal_emit_by_name(entry, "activate");
  desktop_conversation_set_state(conversation, TRUE, FALSE);
  gtk_editable_set_text(entry, "   ");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpstr(heard->str, ==, "");
  gtk_editable_set_text(entry, "  a nodule? ");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpstr(heard->str, ==, "a nodule?;");
  /* The question leaves the entry only once it is a turn. */
  g_assert_cmpstr(gtk_editable_get_text(entry), ==, "  a nodule? ");
  desktop_conversation_add_turn(conversation, "a nodule?", "CT");
  g_assert_cmpstr(gtk_editable_get_text(entry), ==, "");
  desktop_conversation_set_state(conversation, TRUE, TRUE);
  gtk_editable_set_text(entry, "meanwhile");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpstr(heard->str, ==, "a nodule?;");
}

int
main(int argc, char **argv)
{
  /* So that accessible properties can be read without a bus. */
  g_setenv("GTK_A11Y", "test", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  g_test_add_func("/desktop/resample/nearest", test_nearest);
  g_test_add_func("/desktop/resample/bilinear", test_bilinear);
  g_test_add_func("/desktop/resample/boxes", test_boxes);
  g_test_add_func("/desktop/resample/sizes", test_sizes);
  g_test_add_func("/desktop/viewer/picture", test_picture);
  g_test_add_func("/desktop/viewer/drag", test_drag);
  g_test_add_func("/desktop/viewer/hands", test_hands);
  g_test_add_func("/desktop/viewer/description", test_description);
  g_test_add_func("/desktop/viewer/window-text", test_window_text);
  g_test_add_func("/desktop/conversation/row-text", test_row_text);
  g_test_add_func("/desktop/conversation/asking", test_asking);
  return g_test_run();
}
