override WG: u32 = 64u; // invocations of a workgroup
#ifdef SUBGROUPS
override SUBGROUP: u32 = 4u; // invocations of the smallest subgroup that the device makes
override N_SUBGROUPS: u32 = WG / SUBGROUP;
#endif
