#include <causal.h>
int main(void){return causal_version()-1;}
