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
    {"win.save-picture", N_("Save the picture"), N_("Files"), "<Control><Shift>s"},
    {"win.save-screen", N_("Save the screen view"), N_("Files"), "<Control><Alt>s"},
    {"win.save-key-images", N_("Save the key images"), N_("Files"), ""},
    {"win.print", N_("Print"), N_("Files"), "<Control>p"},
    {"win.tags", N_("Tags of the file"), N_("Files"), "<Control>t"},
    {"win.export", N_("Export conversations"), N_("Files"), "<Control>e"},
    {"win.log", N_("Log"), N_("Files"), "<Control><Shift>h"},

    {"view.step(1)", N_("Next image"), N_("Images"), "Down KP_Down"},
    {"view.step(-1)", N_("Previous image"), N_("Images"), "Up KP_Up"},
    {"view.step(10)", N_("Ten images on"), N_("Images"), "<Shift>Down <Shift>Page_Down"},
    {"view.step(-10)", N_("Ten images back"), N_("Images"), "<Shift>Up <Shift>Page_Up"},
    {"view.first", N_("First image"), N_("Images"), "Home KP_Home"},
    {"view.last", N_("Last image"), N_("Images"), "End KP_End"},
    {"view.series(1)", N_("Next series"), N_("Images"), "Page_Down KP_Page_Down"},
    {"view.series(-1)", N_("Previous series"), N_("Images"), "Page_Up KP_Page_Up"},
    {"image.mark", N_("Mark as a key image, or no longer"), N_("Images"), "k"},
    {"image.copy", N_("Copy the picture"), N_("Images"), "<Control>c"},

    {"view.play", N_("Play or pause"), N_("Cine"), "c space"},
    {"view.rate(1)", N_("Play faster"), N_("Cine"), "greater"},
    {"view.rate(-1)", N_("Play slower"), N_("Cine"), "less"},

    {"win.layout::1x1", N_("One image"), N_("Layout"), "<Control>1"},
    {"win.layout::1x2", N_("Two side by side"), N_("Layout"), "<Control>2"},
    {"win.layout::2x1", N_("One above the other"), N_("Layout"), "<Control>3"},
    {"win.layout::2x2", N_("Four"), N_("Layout"), "<Control>4"},
    {"image.compare", N_("Compare with prior"), N_("Layout"), "b"},
    {"win.linked", N_("Scroll together"), N_("Layout"), "<Control>g"},
    {"win.toggle-series", N_("Show or fold the series"), N_("Layout"), "F9"},
    {"win.toggle-conversation", N_("Show or fold the conversation"), N_("Layout"), "<Shift>F9"},

    {"view.fit", N_("Fit"), N_("Size and place"), "equal"},
    {"view.actual-size", N_("One to one"), N_("Size and place"), "asterisk KP_Multiply"},
    {"view.zoom(1)", N_("Zoom in"), N_("Size and place"), "plus KP_Add"},
    {"view.zoom(-1)", N_("Zoom out"), N_("Size and place"), "minus KP_Subtract"},
    {"view.pan((-1,0))", N_("Move the image left"), N_("Size and place"), "<Shift>Left"},
    {"view.pan((1,0))", N_("Move the image right"), N_("Size and place"), "<Shift>Right"},
    {"view.pan((0,-1))", N_("Move the image up"), N_("Size and place"), "<Alt>Up"},
    {"view.pan((0,1))", N_("Move the image down"), N_("Size and place"), "<Alt>Down"},

    {"view.rotate(1)", N_("Rotate right"), N_("Orientation"), "r"},
    {"view.rotate(-1)", N_("Rotate left"), N_("Orientation"), "l"},
    {"view.flip-horizontal", N_("Mirror left to right"), N_("Orientation"), "h"},
    {"view.flip-vertical", N_("Mirror top to bottom"), N_("Orientation"), "v"},
    {"view.smooth", N_("Smooth or single pixels"), N_("Orientation"), "n"},
    {"view.texts", N_("Text over the image"), N_("Orientation"), "o"},
    {"view.covers", N_("Overlays and shutters"), N_("Orientation"), "g"},
    {"view.reset", N_("Reset"), N_("Orientation"), "BackSpace"},

    {"view.auto", N_("All values"), N_("Windows"), "0 KP_0"},
    {"view.preset(1)", N_("Window 1: the file's, then those for CT"), N_("Windows"), "1 KP_1"},
    {"view.preset(2)", N_("Window 2"), N_("Windows"), "2 KP_2"},
    {"view.preset(3)", N_("Window 3"), N_("Windows"), "3 KP_3"},
    {"view.preset(4)", N_("Window 4"), N_("Windows"), "4 KP_4"},
    {"view.preset(5)", N_("Window 5"), N_("Windows"), "5 KP_5"},
    {"view.preset(6)", N_("Window 6"), N_("Windows"), "6 KP_6"},
    {"view.preset(7)", N_("Window 7"), N_("Windows"), "7 KP_7"},
    {"view.preset(8)", N_("Window 8"), N_("Windows"), "8 KP_8"},
    {"view.preset(9)", N_("Window 9"), N_("Windows"), "9 KP_9"},
    {"view.next-presentation", N_("Next presentation state, or none"), N_("Windows"), "x"},

    {"view.grey((1,0))", N_("Wider"), N_("Grey scale"), "<Control>Right"},
    {"view.grey((-1,0))", N_("Narrower"), N_("Grey scale"), "<Control>Left"},
    {"view.grey((0,-1))", N_("Lower centre"), N_("Grey scale"), "<Control>Up"},
    {"view.grey((0,1))", N_("Higher centre"), N_("Grey scale"), "<Control>Down"},
    {"view.invert", N_("Invert"), N_("Grey scale"), "i"},

    {"view.tool::window", N_("Grey scale"), N_("Tools"), "w"},
    {"view.tool::pan", N_("Pan"), N_("Tools"), "p"},
    {"view.tool::zoom", N_("Zoom"), N_("Tools"), "z"},
    {"view.tool::scroll", N_("Scroll"), N_("Tools"), "s"},
    {"view.tool::distance", N_("Distance"), N_("Tools"), "d"},
    {"view.tool::angle", N_("Angle"), N_("Tools"), "a"},
    {"view.tool::ellipse", N_("Ellipse"), N_("Tools"), "e"},
    {"view.tool::rectangle", N_("Rectangle"), N_("Tools"), "t"},
    {"view.tool::region", N_("Region to ask about"), N_("Tools"), "q"},
    {"view.cursor", N_("Cursor on the image: arrows move it, Enter sets points"), N_("Tools"), "m"},
    {"view.delete", N_("Remove what is selected"), N_("Tools"), "Delete KP_Delete"},
    {"view.clear", N_("Remove drawings from the image"), N_("Tools"), ""},

    {"win.focus-question", N_("Write a question"), N_("Conversation"), "<Control>l"},
    {"win.describe", N_("Describe the image"), N_("Conversation"), "<Control>d"},
    {"image.add-prior", N_("Add the prior to the conversation"), N_("Conversation"), "<Shift>b"},
    {"win.new-conversation", N_("New conversation"), N_("Conversation"), "<Control>n"},
    {"win.sign-in", N_("Sign in with a PIN"), N_("Conversation"), "<Control>u"},
    {"win.sign-out", N_("Sign out"), N_("Conversation"), ""},
    {"win.history", N_("Past conversations"), N_("Conversation"), "<Control>h"},
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
