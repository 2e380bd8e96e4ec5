// The norm's output is computed once a workgroup, and staged.
#import matmul/input/rms_norm
#import matmul/staged
