"""The one law of the house, checked: folder = library = prefix.

check-rooms.py BUILD SOURCE - speaks TAP. For each room's library it reads the undefined symbols and
fails when the room reaches where it may not, reads the defined ones and fails when one lacks the
room's prefix, and compiles a wrong include with the room's own flags, which must not succeed. In
the model room no object may hold data that can change, and the kernel pool alone starts threads. One
file of app knows libcurl. The helper that reads foreign images carries no DCMTK.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOMS = {'model': 'model_', 'train': 'train_', 'dicom': 'dicom_|phantom_', 'helper': 'dicom_',
         'data': 'store_|data_|pmc_',
         'app': 'app_'}
GLIB, GTK, SQLITE = r'^g_', r'^(gtk_|gdk_|gsk_|adw_)', r'^sqlite3_'
PRINTING = r'^(printf|vprintf|puts|putchar|fprintf|vfprintf|fputs|fputc|perror|__printf_chk|' \
           r'__fprintf_chk|stdout|stderr)$'
LOGGING = r'^(g_print|g_printerr|g_log|g_log_structured.*|g_warn_message|_ZSt4(cout|cerr|clog))$'
ENDING = r'^(exit|_exit|abort|quick_exit|system)$'
STARTING = r'^(pthread_create|g_thread_new|g_thread_try_new|g_thread_pool_new|g_task_run_in_thread|' \
           r'fork|vfork|posix_spawn.*|execv.*|g_spawn_.*|g_subprocess_.*)$'
CURL = r'^curl_.*$'
NETWORK = r'^(socket|connect|getaddrinfo|gethostbyname|g_socket_.*|soup_.*)$'
CXX = r'^_Z.*(Dcm|OFString|DJ[A-Z])'
# Only what runs in the helper closes itself in.
SANDBOX = r'^(seccomp_.*|setrlimit(64)?)$'
# What reads foreign images runs in the helper; the application asks it (app/decoder.h).
READING = r'^dicom_(file_open.*|file_read_frame|file_pixel_summary|file_report_text|file_pdf)$'

# What each room must not reach for, by name.
FORBIDDEN = {
    'model': [GLIB, GTK, SQLITE, PRINTING, ENDING, CXX, NETWORK, CURL,
              r'^(dicom|store|app|train|phantom)_', r'^(fork|vfork|exec.*|posix_spawn.*)$'],
    'train': [GLIB, GTK, SQLITE, PRINTING, ENDING, CXX, NETWORK, CURL, STARTING,
              r'^(dicom|store|app|phantom)_'],
    'dicom': [GTK, SQLITE, PRINTING, LOGGING, ENDING, NETWORK, CURL, STARTING, CXX,
              r'^(model|store|app|train)_'],
    'bridge': [GTK, SQLITE, PRINTING, LOGGING, ENDING, NETWORK, CURL, STARTING,
               r'^(model|store|app|train|phantom)_'],
    'helper': [GTK, SQLITE, PRINTING, LOGGING, r'^(exit|abort|quick_exit|system)$', CXX,
               r'^(pthread_create|g_.*thread.*new|posix_spawn.*|exec.*|g_spawn_.*|g_subprocess_.*)$',
               r'^(model|store|app|train|phantom)_'],
    'data': [GTK, PRINTING, LOGGING, ENDING, NETWORK, CURL, STARTING, CXX,
             r'^(model|dicom|app|train|phantom)_'],
    'app': [GTK, SQLITE, PRINTING, LOGGING, ENDING, NETWORK, CXX, READING],
    'cli': [GTK, SQLITE, NETWORK, CURL, STARTING, CXX, r'^(model|dicom|store|train|phantom)_'],
    'desktop': [SQLITE, PRINTING, NETWORK, CURL, STARTING, CXX, r'^(model|dicom|store|train|phantom)_'],
}
LIBRARIES = {'model': 'model/libhilum-model.a', 'train': 'model/train/libhilum-train.a',
             'dicom': 'dicom/libhilum-dicom.a', 'helper': 'dicom/helper/libhilum-dicom-helper.a',
             'bridge': 'dicom/bridge/libhilum-dicom-bridge.a', 'data': 'data/libhilum-data.a',
             'app': 'app/libhilum-app.a', 'cli': 'ui/cli/hilum.p', 'desktop':
             'ui/desktop/hilum-desktop.p'}
# Headers that the room must not be able to include.
WRONG_INCLUDES = {
    'model/': ['glib.h', 'dicom.h', 'store.h', 'app.h', 'sqlite3.h', 'train.h'],
    'dicom/': ['model.h', 'store.h', 'app.h', 'gtk/gtk.h'],
    'data/': ['model.h', 'dicom.h', 'app.h', 'gtk/gtk.h'],
    'app/': ['gtk/gtk.h', 'checkpoint/checkpoint.h', 'bridge/write.h', 'tokenizer/tokenizer.h'],
    'ui/cli/': ['model.h', 'dicom.h', 'store.h', 'train.h', 'gtk/gtk.h'],
    'ui/desktop/': ['model.h', 'dicom.h', 'store.h', 'train.h'],
}
# Debian installs these two where the compiler looks by itself: no flag can hide them.
ALWAYS_VISIBLE = {'sqlite3.h'}


def objects(path):
    if path.endswith('.p'):
        return [os.path.join(path, f) for f in sorted(os.listdir(path)) if f.endswith('.o')]
    return [path]


def symbols(path, flag):
    out = subprocess.run(['nm', flag] + objects(path), capture_output=True, text=True, check=True)
    names = set()
    for line in out.stdout.splitlines():
        match = re.match(r'^[0-9a-f]*\s+([A-Za-z])\s+(\S+)$', line)
        if match and (flag == '-u' or match.group(1) in 'TDBRVWG'):
            names.add(match.group(2))
    return names


def elsewhere(path, pattern, allowed):
    """Objects that reach for PATTERN though they are none of the ALLOWED ones."""
    out = subprocess.run(['nm', '-A', '-u', path], capture_output=True, text=True, check=True)
    found = [line.split() for line in out.stdout.splitlines() if line.strip()]
    return sorted({words[0].split('/')[-1].rstrip(':') for words in found
                   if re.search(pattern, words[-1]) and not any(a in words[0] for a in allowed)})


def needed(path, pattern):
    """Shared libraries of a program that match PATTERN."""
    out = subprocess.run(['readelf', '-d', path], capture_output=True, text=True, check=True)
    return sorted(set(re.findall(r'\(NEEDED\).*\[(' + pattern + r')[^]]*\]', out.stdout)))


def variables(path):
    """Objects that hold data which can change: globals and statics."""
    out = subprocess.run(['size', '-A', path], capture_output=True, text=True, check=True)
    found, current = set(), ''
    for line in out.stdout.splitlines():
        words = line.split()
        if line.rstrip().endswith(':'):
            current = words[0]
        elif len(words) == 3 and words[1] != '0' and \
                re.match(r'^\.(data|bss|tdata|tbss)(\.(?!rel\.ro).*)?$', words[0]):
            found.add(current)
    return sorted(found)


def main(build, source):
    results = []
    sanitized = any(s.startswith(('__asan_', '__ubsan_', '__tsan_', '__gcov_'))
                    for s in symbols(os.path.join(build, LIBRARIES['model']), '-u'))
    for room, library in LIBRARIES.items():
        path = os.path.join(build, library)
        undefined = symbols(path, '-u')
        forbidden = FORBIDDEN[room] + ([] if room == 'helper' else [SANDBOX])
        bad = sorted(s for s in undefined if any(re.search(f, s) for f in forbidden))
        results.append((f'{room} reaches only where it may', bad))
        if room in ROOMS:
            defined = {s for s in symbols(path, '-g') if not s.startswith(('__', '_Z', '_IO'))}
            bad = sorted(s for s in defined
                         if not re.match(f'^_?({ROOMS[room]})', s) and s not in undefined)
            results.append((f'every symbol of {room} has its prefix', bad))
    pool = elsewhere(os.path.join(build, LIBRARIES['model']), STARTING, ['kernels_pool.'])
    results.append(('the kernel pool alone starts threads in model', pool))
    results.append(('two files alone of app talk to servers',
                    elsewhere(os.path.join(build, LIBRARIES['app']), CURL, ['remote-http.', 'wire.'])))
    results.append(('the decoding helper does without DCMTK',
                    needed(os.path.join(build, 'dicom/helper/hilum-decode'),
                           r'lib(?:dcm|oflog|ofstd|ijg)')))
    for room in ('model', 'train'):
        # The sanitizer's own tables are variables.
        bad = [] if sanitized else variables(os.path.join(build, LIBRARIES[room]))
        results.append((f'{room} has no variables outside of functions', bad))
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as f:
        commands = json.load(f)
    for folder, headers in WRONG_INCLUDES.items():
        mine = [c for c in commands if c['file'].startswith(os.path.relpath(source, build) + '/' + folder)
                and c['file'].endswith('.c') and '/train/' not in c['file']]
        assert mine, f'no compile command for {folder}'
        results.append((f'a right file of {folder} compiles (control)',
                        [] if compiles(mine[0], '#include <stddef.h>\n') else ['does not compile']))
        for header in sorted(set(headers) - ALWAYS_VISIBLE):
            snippet = f'#include "{header}"\n'
            results.append((f'{folder} cannot include {header}',
                            ['compiles'] if compiles(mine[0], snippet) else []))
    print(f'1..{len(results)}')
    for number, (name, bad) in enumerate(results, 1):
        print(f"{'not ok' if bad else 'ok'} {number} {name}" + (f": {', '.join(bad)}" if bad else ''))
    return 1 if any(bad for _, bad in results) else 0


def compiles(command, text):
    """Compiles TEXT with the flags of COMMAND, from a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'wrong.c')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        words = shlex.split(command['command'])
        words[words.index('-o') + 1] = '/dev/null'
        words = [path if w == command['file'] else w for w in words]
        for drop in ('-MD', '-MQ', '-MF'):
            if drop in words:
                at = words.index(drop)
                del words[at:at + (1 if drop == '-MD' else 2)]
        done = subprocess.run(words + ['-fsyntax-only'], cwd=command['directory'], capture_output=True)
        return done.returncode == 0


sys.exit(main(sys.argv[1], sys.argv[2]))
