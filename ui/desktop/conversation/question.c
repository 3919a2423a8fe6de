/* question.c - a question as the window asks it, and asks it again. */
#include "conversation/question.h"

#include <glib/gi18n.h>

DesktopQuestion *
desktop_question_new(const char *text, AppLength length, DesktopAbout *about)
{
  DesktopQuestion *question = g_new0(DesktopQuestion, 1);

  question->text = g_strdup(text);
  question->length = length;
  question->about = desktop_about_ref(about);
  return question;
}

DesktopQuestion *
desktop_question_copy(const DesktopQuestion *question)
{
  DesktopQuestion *copy = desktop_question_new(question->text, question->length, question->about);

  copy->adds = question->adds;
  copy->sampling = question->sampling;
  return copy;
}

void
desktop_question_free(DesktopQuestion *question)
{
  g_free(question->text);
  desktop_about_unref(question->about);
  g_free(question);
}

const char *
desktop_question_title(const DesktopQuestion *question)
{
  if (question->text) {
    return question->text;
  }
  switch (question->length) {
  case APP_LENGTH_BRIEF:
    return _("Describe the image briefly.");
  case APP_LENGTH_DETAILED:
    return _("Describe the image in detail.");
  case APP_LENGTH_AUTO:
  default:
    return _("Describe the image.");
  }
}
