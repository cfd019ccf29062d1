/* Starts a program, gives it Ctrl-Break for each `b` that comes on standard input, and ends it when
   standard input ends. Its exit status becomes this one's.

   Wine 8 does not implement GenerateConsoleCtrlEvent for Ctrl-Break. What the system does on
   Windows, where the console asks for it, is done here by hand: it starts a thread in the program,
   in CtrlRoutine, which calls the program's handlers. Every process has that function at the same
   address.

   Nothing of the C library is used, because zig would first compile all of that. */
#include <windows.h>

enum { USAGE = 90, NOT_STARTED = 91, NO_STATUS = 92, KILLED = 137 };

static STARTUPINFOW startup;
static PROCESS_INFORMATION program;

static DWORD WINAPI obey(void *nothing) {
    HMODULE library = GetModuleHandleW(L"kernelbase.dll");
    LPTHREAD_START_ROUTINE routine = (LPTHREAD_START_ROUTINE)GetProcAddress(library, "CtrlRoutine");
    HANDLE orders = GetStdHandle(STD_INPUT_HANDLE);
    void *event = (void *)(ULONG_PTR)CTRL_BREAK_EVENT;
    char order;
    DWORD length;
    while (routine && ReadFile(orders, &order, 1, &length, NULL) && length == 1) {
        if (order == 'b')
            CloseHandle(CreateRemoteThread(program.hProcess, NULL, 0, routine, event, 0, NULL));
    }
    return 0;
}

/* What stands after its own name, which is in quotes when it holds spaces. */
static wchar_t *arguments(void) {
    wchar_t *line = GetCommandLineW();
    wchar_t end = *line == L'"' ? L'"' : L' ';
    do {
        if (!*line) return NULL;
        line++;
    } while (*line != end);
    do line++; while (*line == L' ');
    return line;
}

static DWORD run(void) {
    wchar_t *line = arguments();
    if (!line) return USAGE;

    /* The program gets the two streams that it writes to, and none to read from. */
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &program))
        return NOT_STARTED;

    HANDLE ends[] = { program.hProcess, CreateThread(NULL, 0, obey, NULL, 0, NULL) };
    if (WaitForMultipleObjects(2, ends, FALSE, INFINITE) != WAIT_OBJECT_0) {
        TerminateProcess(program.hProcess, KILLED);
        WaitForSingleObject(program.hProcess, INFINITE);
    }
    DWORD status = NO_STATUS;
    GetExitCodeProcess(program.hProcess, &status);
    return status;
}

void mainCRTStartup(void) {
    ExitProcess(run());
}
