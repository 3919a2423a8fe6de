/* annotation-text.c - what an annotation measures, in words.
 *
 * A length in millimetres says by what it is one; without calibration lengths are in pixels.
 */
#include "viewer/annotation.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

/* A hyphen before a number is easily overlooked. */
static char *
number(double value, int decimals)
{
  return g_strdup_printf("%s%.*f", value < 0 ? "\u2212" : "", decimals, fabs(value));
}

/* As many decimals as the values deserve. */
static int
decimals_for(const AppSliceFacts *facts)
{
  double range = facts->high - facts->low;

  return range >= 64 ? 1 : range >= 1 ? 2 : 4;
}

static char *
distance_text(const DesktopAnnotation *a, const AppSlice *slice)
{
  double distance = 0;

  if (app_slice_distance(slice, a->points[0], a->points[1], &distance)) {
    g_autofree char *text = number(distance, 1);
    /* Translators: a length, and by what it is known: "34.2 mm (Pixel Spacing)" */
    return g_strdup_printf(_("%s mm\n%s"), text, app_slice_facts(slice)->calibration);
  } else {
    g_autofree char *text = number(distance, 1);
    return g_strdup_printf(_("%s pixels"), text);
  }
}

/* TEXT, which is taken, and what PET is read by where it is defined. */
static char *
with_suv(char *text, const AppSliceFacts *facts, const AppStatistics *s)
{
  g_autofree char *before = text;

  /* Translators: body weight SUV: mean and maximum */
  return facts->suv_factor > 0
             ? g_strdup_printf(_("%s\nSUV mean %.2f  max %.2f"), before,
                               s->mean * facts->suv_factor, s->maximum * facts->suv_factor)
             : g_steal_pointer(&before);
}

static char *
statistics_text(const DesktopAnnotation *a, const AppSlice *slice)
{
  const AppSliceFacts *facts = app_slice_facts(slice);
  AppShape shape = a->kind == DESKTOP_ANNOTATION_ELLIPSE ? APP_SHAPE_ELLIPSE : APP_SHAPE_RECTANGLE;
  const char *space = *facts->unit ? "\u00a0" : "";
  g_autofree char *mean = NULL, *sd = NULL, *low = NULL, *high = NULL, *area = NULL;
  AppStatistics s;
  char *text;
  int decimals = decimals_for(facts);

  if (!app_slice_statistics(slice, shape, a->points[0], a->points[1], &s)) {
    return g_strdup(facts->is_colour ? _("No values in a colour picture") : _("No pixel inside"));
  }
  mean = number(s.mean, decimals);
  sd = number(s.sd, decimals);
  low = number(s.minimum, decimals - 1);
  high = number(s.maximum, decimals - 1);
  area = number(s.area, 1);
  /* Translators: mean and standard deviation; minimum and maximum; area */
  text = s.has_area ? g_strdup_printf(_("mean %s%s%s  SD %s\nmin %s  max %s\n%s mm²  %s"), mean,
                                      space, facts->unit, sd, low, high, area, facts->calibration)
                    : g_strdup_printf(_("mean %s%s%s  SD %s\nmin %s  max %s\n%s pixels"), mean,
                                      space, facts->unit, sd, low, high, area);
  return with_suv(text, facts, &s);
}

char *
desktop_annotation_text(const DesktopAnnotation *annotation, const AppSlice *slice)
{
  const double(*p)[2] = annotation->points;

  switch (annotation->kind) {
  case DESKTOP_ANNOTATION_DISTANCE:
    return distance_text(annotation, slice);
  case DESKTOP_ANNOTATION_ANGLE:
    return g_strdup_printf("%.1f°", app_slice_angle(slice, p[0], p[1], p[2]));
  case DESKTOP_ANNOTATION_ELLIPSE:
  case DESKTOP_ANNOTATION_RECTANGLE:
    return statistics_text(annotation, slice);
  case DESKTOP_ANNOTATION_REGION:
  default:
    return g_strdup(_("Region to ask about"));
  }
}
