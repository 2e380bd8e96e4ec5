use super::self_test;
use crate::ops::testing::divided;

#[test]
fn a_device_is_tried_before_it_is_trusted() {
    for gpu in divided() {
        let (subgroups, software, f16) = (gpu.caps.subgroup_min, gpu.caps.software, gpu.caps.f16);
        let (gpu, features) = pollster::block_on(self_test(gpu)).unwrap();
        println!("subgroups={subgroups} software={software}: {features:?}");
        assert_eq!(features.iter().map(|f| f.name).collect::<Vec<_>>(), ["subgroups", "f16 cache", "int8 products"]);
        assert_eq!(features[0].used, subgroups > 0);
        assert_eq!(features[1].used, gpu.caps.f16);
        assert!(!features[1].reason.contains("off by") && (f16 || !features[1].used), "{}", features[1].reason);
        assert_eq!(features[2].used, gpu.caps.int8_products);
        assert_eq!(software, features[2].reason == "a CPU plays GPU");
        assert!(!features[2].reason.contains("off by"), "{}", features[2].reason);
    }
}

#[test]
fn what_was_found_is_remembered() {
    for (gpu, again) in divided().into_iter().zip(divided()) {
        let (gpu, features) = pollster::block_on(self_test(gpu)).unwrap();
        let (again, same) = pollster::block_on(self_test(again)).unwrap();
        // Texts have times in them.
        assert_eq!(features, same);
        assert_eq!(format!("{:?}", gpu.caps), format!("{:?}", again.caps));
    }
}
