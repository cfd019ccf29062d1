/* What Rust's standard library takes from bcryptprimitives.dll, which Wine has since 9.0. For tests
   alone: on Windows the system's own library is taken. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return RtlGenRandom(data, (ULONG)length);
}

BOOL WINAPI DllMainCRTStartup(HINSTANCE library, DWORD reason, LPVOID reserved) {
    return TRUE;
}
