override WG: u32; // invocations of a workgroup
#ifdef SUBGROUPS
override SUBGROUP: u32; // invocations of the smallest subgroup that the device makes
override N_SUBGROUPS: u32 = WG / SUBGROUP;
#endif
