// System.Threading.Lock is new in .NET 9. On .NET 8 an object serves as well: "lock" takes its monitor.
#if NET9_0_OR_GREATER
global using Gate = System.Threading.Lock;
#else
global using Gate = System.Object;
#endif
