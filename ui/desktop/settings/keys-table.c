/* keys-table.c - what can be done, and by which keys when nobody has chosen others.
 *
 * Keys follow what readers have in their hands from other viewers; where those disagree (C or
 * Space for a cine), both work.
 */
#include <glib/gi18n.h>

#include "settings/keys.h"

static const DesktopKey table[] = {
    {"win.open-file", N_("Open a file"), N_("Files"), "<Control>o"},
    {"win.open-folder", N_("Open a folder"), N_("Files"), "<Control><Shift>o"},

    {"view.step(1)", N_("Next image"), N_("Images"), "Down KP_Down"},
    {"view.step(-1)", N_("Previous image"), N_("Images"), "Up KP_Up"},
    {"view.step(10)", N_("Ten images on"), N_("Images"), "Page_Down KP_Page_Down"},
    {"view.step(-10)", N_("Ten images back"), N_("Images"), "Page_Up KP_Page_Up"},
    {"view.first", N_("First image"), N_("Images"), "Home KP_Home"},
    {"view.last", N_("Last image"), N_("Images"), "End KP_End"},
    {"view.play", N_("Play or pause"), N_("Images"), "c space"},

    {"win.focus-question", N_("Write a question"), N_("Conversation"), "<Control>l"},
    {"win.describe", N_("Describe the image"), N_("Conversation"), "<Control>d"},
    {"win.new-conversation", N_("New conversation"), N_("Conversation"), "<Control>n"},
    {"win.stop", N_("Stop the answer"), N_("Conversation"), "Escape"},

    {"app.shortcuts", N_("Keyboard shortcuts"), N_("Program"), "<Control>question F1"},
    {"app.preferences", N_("Preferences"), N_("Program"), "<Control>comma"},
    {"app.models", N_("Models"), N_("Program"), "<Control>m"},
    {"window.close", N_("Close the window"), N_("Program"), "<Control>w"},
    {"app.quit", N_("Quit"), N_("Program"), "<Control>q"},
    {NULL}};

const DesktopKey *
desktop_keys(void)
{
  return table;
}
